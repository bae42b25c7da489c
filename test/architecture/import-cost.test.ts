import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const source = fileURLToPath(new URL('../../src/', import.meta.url));

/** Rooms whose files may be loaded when the index of one is imported: the arrows of docs/architecture.md, followed to their ends. */
const loads: Record<string, readonly string[]> = {
  api: ['cloudevents'],
  cloudevents: [],
  telemetry: [],
  http: [],
  controller: ['api', 'cloudevents', 'telemetry'],
  autoscaler: ['api', 'cloudevents', 'http', 'telemetry'],
  serving: ['api', 'cloudevents', 'http', 'telemetry'],
  eventing: ['api', 'cloudevents', 'http', 'telemetry'],
  functions: ['api', 'cloudevents', 'http', 'telemetry'],
  simulator: ['api', 'cloudevents', 'http', 'telemetry', 'autoscaler', 'serving'],
};

/** The files and packages that a fresh process loads for one import, and the built-ins that are heavy to load. */
function loadedBy(file: string): { files: string[]; heavy: string[] } {
  const script = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ load(url, context, next) { seen.push(url); return next(url, context); } });
    await import(${JSON.stringify(new URL(`file://${source}${file}`).href)});
    const heavy = seen.filter((url) => /^node:(http|https|http2|net|tls|fs|child_process|worker_threads|sqlite|crypto)$/.test(url));
    console.log(JSON.stringify({ files: seen.filter((url) => url.startsWith('file:')), heavy }));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return JSON.parse(output) as { files: string[]; heavy: string[] };
}

describe('importing one module', () => {
  const modules = readdirSync(source).filter((name) => loads[name] !== undefined && existsSync(`${source}${name}/index.ts`));
  test.each(modules)('%s loads only what the arrows allow, no package and no heavy built-in', (name) => {
    const { files, heavy } = loadedBy(`${name}/index.ts`);
    const rooms = new Set(
      files.map((url) => {
        const path = fileURLToPath(url);
        if (!path.startsWith(source)) return `outside: ${path.replace(/^.*node_modules\//, '')}`;
        const relative = path.slice(source.length);
        return relative.includes('/') ? (relative.split('/')[0] ?? '') : 'kernel';
      }),
    );
    const allowed = new Set([name, 'kernel', ...(loads[name] ?? [])]);
    expect([...rooms].filter((room) => !allowed.has(room))).toEqual([]);
    expect(heavy).toEqual([]);
  });
});
