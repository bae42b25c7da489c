import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command } from '../../src/cli/commands/filter.ts';
import { KnativeError } from '../../src/errors.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'filter-'));
});
afterAll(() => rm(folder, { recursive: true }));

const event = { specversion: '1.0', id: '1', type: 'order.created', source: '/eu', total: 120 };

async function run(manifest: string, options: Record<string, boolean> = {}, stdin = JSON.stringify(event)) {
  const file = join(folder, 'triggers.yaml');
  await writeFile(file, manifest);
  const lines: string[] = [];
  const code = await command.run({
    options,
    positionals: [file, '-'],
    env: {},
    stdin: Readable.from([stdin]),
    print: (line) => lines.push(line),
    printError: (line) => lines.push(line),
    isTty: false,
    signal: new AbortController().signal,
  });
  return { code, lines };
}

const trigger = (name: string, spec: string): string => `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: ${name}, namespace: shop }
spec: { broker: main, subscriber: { uri: "http://x.example" }, ${spec} }
`;

describe('filter', () => {
  test('says for each Trigger whether it gets the event, and why', async () => {
    const manifest = [
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: other }',
      trigger('big', 'filters: [{ cesql: "type LIKE \'order.%\' AND total > 100" }]'),
      trigger('refunds', 'filters: [{ prefix: { type: refund. } }]'),
    ].join('\n---\n');
    expect(await run(manifest)).toEqual({
      code: 0,
      lines: [
        "shop/big gets the event: type LIKE 'order.%' AND total > 100 is true",
        'shop/refunds does not get the event: type is "order.created", must start with "refund."',
      ],
    });
    const parts = await run(trigger('big', 'filters: [{ cesql: "total > 100" }]'), { parts: true });
    expect(parts.lines.join('\n')).toContain('total  →  "120"');
    const json = await run(trigger('big', 'filters: [{ exact: { type: x } }]'), { json: true });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.lines[0] ?? '')).toMatchObject({ id: 'shop/big', matched: false, result: 'fail' });
  });

  test('refuses what is wrong with one clear error', async () => {
    const refused = async (manifest: string, stdin?: string): Promise<string> =>
      run(manifest, {}, stdin).then(
        () => 'accepted',
        (error: unknown) => (KnativeError.is(error) ? error.code : String(error)),
      );
    expect(await refused('a: [')).toBe('CLI_MANIFEST');
    expect(await refused('kind: ConfigMap')).toBe('CLI_NO_TRIGGER');
    expect(await refused(trigger('t', 'filters: [{ cesql: "type ==" }]'))).toBe('CLI_MANIFEST');
    expect(await refused(trigger('t', 'filters: [{ sql: x }]'))).toBe('CLI_MANIFEST');
    expect(await refused(trigger('t', 'filters: []'), '{"specversion":"1.0"}')).toMatch(/^CLOUDEVENTS_/);
  });
});
