import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runCli } from '../../src/cli/run-cli.ts';

const manifests = fileURLToPath(new URL('../vectors/manifests', import.meta.url));

async function run(args: readonly string[], stdin = ''): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(args, {
    env: {},
    stdin: Readable.from(stdin === '' ? [] : [stdin]),
    print: (line) => out.push(line),
    printError: (line) => err.push(line),
    isTty: false,
    signal: new AbortController().signal,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const wrong = `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
spec:
  template:
    spec:
      containers:
      - imag: example.com/hello
`;

test('validate names file, line, column, path, message and suggestion, and fails', async () => {
  const { code, out } = await run(['validate', '-'], wrong);
  expect(code).toBe(1);
  expect(out.split('\n')).toEqual([
    '-:9:9: error: spec.template.spec.containers[0].imag: unknown field "spec.template.spec.containers[0].imag"; did you mean image?',
    '-:9:9: error: spec.template.spec.containers[0].image: missing field(s)',
    '1 document in 1 file: 2 errors, 0 warnings',
  ]);
});

test('validate accepts what is right; --strict also fails on warnings', async () => {
  const file = `${manifests}/cloud-run/03-internal-ingress-iam.yaml`;
  expect((await run(['validate', file])).code).toBe(0);
  expect((await run(['validate', file, '--strict'])).code).toBe(1);
  expect((await run(['validate', file, '--dialect', 'knative'])).out).toContain('expected 0 <= 3600 <= 600');
});

test('validate writes JSON and SARIF', async () => {
  const json = JSON.parse((await run(['validate', '-', '--format', 'json'], wrong)).out) as { rule: string }[];
  expect(json.map(({ rule }) => rule)).toEqual(['unknown-field', 'validation']);
  const sarif = JSON.parse((await run(['validate', '-', '--format', 'sarif'], wrong)).out) as {
    version: string;
    runs: { results: { ruleId: string; locations: { physicalLocation: { region: { startLine: number } } }[] }[] }[];
  };
  expect(sarif.version).toBe('2.1.0');
  expect(sarif.runs[0]?.results[0]).toMatchObject({
    ruleId: 'unknown-field',
    level: 'error',
    locations: [{ physicalLocation: { region: { startLine: 9, startColumn: 9 } } }],
  });
});

test('wrong usage is told apart', async () => {
  expect((await run(['validate'])).code).toBe(2);
  expect((await run(['validate', '-', '--format', 'xml'])).code).toBe(2);
  expect(await run(['validate', 'no-such-file.yaml'])).toMatchObject({
    code: 1,
    err: 'knative-embed validate: cannot read no-such-file.yaml [CLI_FILE_UNREADABLE]',
  });
  expect((await run(['validate', '-', '--dialect', 'cloudrun'], wrong)).err).toContain('CLI_UNKNOWN_DIALECT');
});

test('convert prints plain Knative that validates, and what it could not carry over', async () => {
  const { code, out, err } = await run(['convert', `${manifests}/code-engine/01-app-v2.yaml`, '--report']);
  expect(code).toBe(0);
  expect(out).toContain('autoscaling.knative.dev/scale-down-delay: 300s');
  expect(err).toContain('mapped: scale_down_delay');
  const again = await run(['validate', '-', '--dialect', 'knative', '--strict'], out);
  expect(again.code).toBe(0);
});

test('convert prints a List as JSON and fails when a document is refused', async () => {
  const { code, out } = await run(['convert', `${manifests}/riff/01-function-and-deployer.yaml`, '--format', 'json']);
  expect(code).toBe(0);
  const list = JSON.parse(out) as { items: { kind: string }[] };
  expect(list.items.map(({ kind }) => kind)).toEqual(['Configuration', 'Route']);
  expect((await run(['convert', `${manifests}/cloud-run/08-level-mistakes.yaml`])).code).toBe(1);
});
