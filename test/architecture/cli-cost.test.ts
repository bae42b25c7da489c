import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

describe.skipIf(!existsSync(main))(existsSync(main) ? 'the command line' : 'dist is not built: run npm run build', () => {
  test('--help lists every command and loads none of them', () => {
    const script = `
      import { registerHooks } from 'node:module';
      const seen = [];
      registerHooks({ load(url, context, next) { seen.push(url); return next(url, context); } });
      process.argv = [process.argv[0], 'knative-embed', '--help'];
      await import(${JSON.stringify(new URL(`file://${main}`).href)});
      console.error(JSON.stringify(seen.filter((url) => url.startsWith('file:'))));`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    for (const command of ['dev', 'validate', 'convert', 'run', 'send', 'new', 'filter', 'cesql'])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    // The entry and the few chunks that it shares; a command would bring its whole module along.
    expect((JSON.parse(stderr) as string[]).length).toBeLessThan(8);
  });
});
