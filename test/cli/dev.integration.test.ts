import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHttpClient } from '../../src/http/index.ts';
import { CliProcess, isBuilt, notBuilt } from './cli-process.ts';

const quickstart = fileURLToPath(new URL('../../examples/quickstart/', import.meta.url));
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

describe.skipIf(!isBuilt)(isBuilt ? 'knative-embed dev' : notBuilt, () => {
  let folder: string;
  let running: CliProcess | undefined;

  beforeEach(async () => {
    // Inside of the package, so that the functions find it by its name.
    folder = await mkdtemp(join(quickstart, '../.dev-test-'));
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  const start = (...args: string[]): CliProcess => (running = new CliProcess(['dev', folder, '--port', '0', ...args]));
  const get = async (gateway: string, host: string, path = '/'): Promise<{ status: number; body: string }> => {
    await using client = createHttpClient({ resolve: () => new URL(gateway).host });
    const answer = await client.request({ method: 'GET', url: `http://${host}${path}` });
    return { status: answer.status, body: await answer.text() };
  };

  test('runs the quickstart, applies changes, finishes requests under way on Ctrl-C', { timeout: 90_000 }, async () => {
    await cp(quickstart, folder, { recursive: true });
    await writeFile(join(folder, 'hello.ts'), slowHello);
    const cli = start();
    const [, gateway = ''] = await cli.until(/gateway on (http:\/\/\S+)/);
    await cli.until(/^ready/m);
    expect(cli.output).toContain('service hello: 80% hello-00001, 20% hello-00002');
    expect(cli.output).toMatch(/curl http:\/\/next-hello\.default\.localhost:\d+\/ +# tag next: hello-00002/);
    expect(cli.output).toContain('curl -X POST http://localhost:');
    expect((await get(gateway, 'hello.default.localhost')).status).toBe(200);
    await cli.until(/^scale hello-0000\d 0 -> 1: .+\.$/m);

    const manifest = await readFile(join(folder, 'hello.yaml'), 'utf8');
    await writeFile(join(folder, 'hello.yaml'), manifest.replace('Good day', 'Moin'));
    await cli.until(
      /applied Service default\/hello \(hello.yaml\)\n(.*\n)*.*applied Service default\/hello \(hello.yaml\)\n(.*\n)*.*applied Service default\/hello/,
    );
    expect(cli.output.match(/applied Broker/g)).toHaveLength(1);
    for (;;) {
      const { body } = await get(gateway, 'next-hello.default.localhost');
      if (body.includes('hello-00003')) break;
    }

    const slow = get(gateway, 'next-hello.default.localhost', '/slow');
    while ((await get(gateway, 'next-hello.default.localhost', '/slow-requests')).body !== '1');
    const code = await cli.stop();
    expect((await slow).status).toBe(200);
    expect([code, cli.output.includes('stopped')]).toEqual([0, true]);
  });

  test('a taken port is one clear error', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const cli = (running = new CliProcess(['dev', folder, '--port', String(port)]));
    expect(await cli.exit).toBe(1);
    server.close();
    const lines = cli.output.trim().split('\n');
    expect(lines[0]).toBe(`knative-embed dev: port ${port} on 127.0.0.1 is taken`);
    expect(lines[1]).toMatch(/choose another port .* \[HTTP_ADDRESS_IN_USE\]$/);
  });

  test('what is wrong in the folder is said with its place, the rest runs', { timeout: 60_000 }, async () => {
    await writeFile(join(folder, 'knative-embed.yaml'), 'images: { example.com/ok: ./ok.mjs }\n');
    await writeFile(join(folder, 'ok.mjs'), 'export const handle = () => "fine";\n');
    await writeFile(join(folder, 'a-broken.yaml'), 'apiVersion: v1\nkind: [\n');
    await writeFile(join(folder, 'b-unknown.yaml'), 'apiVersion: example.com/v1\nkind: Nonsense\nmetadata:\n  name: x\n');
    await writeFile(join(folder, 'c-field.yaml'), serviceManifest('typo').replace('containerConcurrency', 'containerConcurency'));
    await writeFile(
      join(folder, 'd-value.yaml'),
      serviceManifest('negative').replace('containerConcurrency: 1', 'containerConcurrency: -1'),
    );
    await writeFile(join(folder, 'e-ok.yaml'), serviceManifest('ok'));
    const cli = start();
    const [, gateway = ''] = await cli.until(/gateway on (http:\/\/\S+)/);
    await cli.until(/^ready/m);
    const errors = cli.output.split('\n').filter((line) => line.startsWith('error: '));
    expect(errors).toHaveLength(4);
    expect(errors[0]).toMatch(/^error: a-broken\.yaml:\d+:\d+: not valid YAML: /);
    expect(errors[1]).toMatch(
      /^error: b-unknown\.yaml:2:\d+: Nonsense default\/x: unknown kind "Nonsense" of "example\.com\/v1"/,
    );
    expect(errors[2]).toMatch(/^error: c-field\.yaml:8:\d+: .*containerConcurency.*did you mean "containerConcurrency"/);
    expect(errors[3]).toMatch(
      /^error: d-value\.yaml:8:\d+: .*expected 0 <= -1 <= 1000: spec\.template\.spec\.containerConcurrency/,
    );
    expect(await get(gateway, 'ok.default.localhost')).toMatchObject({ status: 200, body: 'fine' });
  });

  test('explains itself quickly', () => {
    const help = execFileSync(process.execPath, [main, 'dev', '--help'], { encoding: 'utf8' });
    for (const word of ['usage: knative-embed dev', '--port', '--data-dir', '--no-watch', 'knative-embed.yaml', 'Ctrl-C'])
      expect(help).toContain(word);
    const overview = execFileSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
    expect(overview).toContain('Commands:');
  });
});

const slowHello = `
let slow = 0;
export async function handle(context) {
  if (context.path === '/slow-requests') return String(slow);
  if (context.path === '/slow') {
    slow++;
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  return { revision: context.env.K_REVISION };
}
`;

const serviceManifest = (name: string): string => `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: ${name}
spec:
  template:
    spec:
      containerConcurrency: 1
      containers:
        - image: example.com/ok
`;
