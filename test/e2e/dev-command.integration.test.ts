// `knative-embed dev` in this process: what it prints, and the ports that it opens.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { command } from '../../src/cli/commands/dev.ts';
import { selfSigned } from '../serving/data-plane/certificate.ts';
import { ownPort } from './host-world.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knative-embed-dev-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const body = (get: typeof httpGet, url: string, options: object): Promise<string> =>
  new Promise((resolve, reject) => {
    get(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(`${response.statusCode ?? 0} ${text}`));
    }).on('error', reject);
  });

test('HTTPS, metrics and request logs of a folder', async () => {
  const { cert, key } = selfSigned('dev.example');
  await writeFile(join(folder, 'cert.pem'), cert);
  await writeFile(join(folder, 'key.pem'), key);
  await writeFile(join(folder, 'hello.mjs'), 'export const handle = () => "hello";');
  await writeFile(join(folder, 'knative-embed.yaml'), 'images:\n  example.com/hello: ./hello.mjs\n');
  await writeFile(
    join(folder, 'hello.yaml'),
    `apiVersion: v1
kind: ConfigMap
metadata: { name: config-observability, namespace: knative-serving }
data:
  logging.enable-request-log: "true"
  logging.request-log-template: "asked for {{.Request.URL}}"
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: hello }
spec:
  template:
    spec:
      containers: [{ image: example.com/hello, ports: [{ containerPort: ${ownPort()} }] }]
`,
  );
  const lines: string[] = [];
  const stop = new AbortController();
  const started = Promise.withResolvers<void>();
  const code = command.run({
    options: {
      port: '0',
      'https-port': '0',
      'tls-cert': join(folder, 'cert.pem'),
      'tls-key': join(folder, 'key.pem'),
      'metrics-port': '0',
      'cold-start-timeout': '20s',
      'no-watch': true,
    },
    positionals: [folder],
    env: {},
    stdin: Readable.from([]),
    print(line) {
      lines.push(line);
      if (line.startsWith('ready in')) started.resolve();
    },
    printError: (line) => lines.push(line),
    isTty: false,
    signal: stop.signal,
  });
  await Promise.race([started.promise, code]);
  const output = lines.join('\n');
  const [, plain = '', secure = ''] = /gateway on (\S+) and (\S+)/.exec(output) ?? [];
  const [, metrics = ''] = /metrics on (\S+)/.exec(output) ?? [];
  const headers = { host: 'hello.default.localhost' };
  expect(await body(httpGet, `${plain}/one`, { headers })).toBe('200 hello');
  expect(await body(httpsGet, `${secure}/two`, { headers, rejectUnauthorized: false })).toBe('200 hello');
  // A request is logged once its answer is written out, which the client may see first.
  await expect.poll(() => lines).toEqual(expect.arrayContaining(['asked for /one', 'asked for /two']));
  const series = await body(httpGet, metrics, {});
  expect(series).toMatch(/^kn_serving_invocation_duration_seconds_count\{.*kn_revision_name="hello-00001".*\} 2$/m);
  stop.abort();
  expect(await code).toBe(0);
});
