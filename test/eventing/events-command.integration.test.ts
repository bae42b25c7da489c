import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEvent } from '../../src/cloudevents/index.ts';
import type { CommandContext } from '../../src/cli/command.ts';
import { command } from '../../src/cli/commands/events.ts';
import { readOperationsAddress, serveOperations } from '../../src/cli/operations-server.ts';
import { createBroker } from '../../src/eventing/broker.ts';
import type { Broker } from '../../src/eventing/broker-types.ts';
import { createHttpClient } from '../../src/http/index.ts';

let dataDir = '';
let broker: Broker;
let server: AsyncDisposable;
let isDown = true;
const got: string[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'knative-embed-events-'));
  broker = await createBroker({ history: true });
  isDown = true;
  got.length = 0;
  broker.addTrigger('shop/bill', {
    filters: [{ exact: { type: 'order' } }],
    subscriber({ id }) {
      if (isDown) throw new Error('billing is down');
      got.push(id);
    },
  });
  server = await serveOperations(dataDir, {
    brokers: () => ['shop/orders'],
    brokerOf: (namespace, name) => (namespace === 'shop' && name === 'orders' ? broker : undefined),
  });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await broker.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function run(
  positionals: readonly string[],
  options: CommandContext['options'] = {},
): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await command.run({
    options: { 'data-dir': dataDir, ...options },
    positionals,
    env: {},
    stdin: Readable.from([]),
    print: (line) => lines.push(line),
    printError: (line) => lines.push(line),
    isTty: false,
    signal: new AbortController().signal,
  });
  return { code, lines };
}

const publish = (id: string): Promise<unknown> => broker.publish(createEvent({ id, source: '/shop', type: 'order' }));
const settled = (): Promise<void> => expect.poll(() => broker.backlog('shop/bill')).toBe(0);

describe('knative-embed events', () => {
  test('lists, shows status and history, parks, redrives, replays, pauses and drops', async () => {
    await publish('1');
    await publish('2');
    await settled();
    expect((await run(['list'])).lines).toEqual(['shop/orders']);
    expect((await run(['status', 'shop/orders'])).lines).toEqual([
      'memory log: events are lost with the process; 2 events kept, newest at position 2',
      'shop/bill: 0 waiting, 0.0 s behind, 2 parked, done up to position 2',
    ]);
    const trace = await run(['trace', 'shop/orders'], { id: ['1'] });
    expect(trace.lines.join('\n')).toMatch(
      / order 1 from \/shop\n {2}shop\/bill: parked\n .* 500 after \d+ ms: billing is down$/,
    );
    expect((await run(['parked', 'shop/orders'], { trigger: 'bill' })).lines).toEqual([
      '1 shop/bill order 1: 500 from function after 1 tries: billing is down',
      '2 shop/bill order 2: 500 from function after 1 tries: billing is down',
    ]);
    isDown = false;
    expect((await run(['drop', 'shop/orders'], { id: ['1'] })).lines).toEqual(['dropped']);
    expect((await run(['redrive', 'shop/orders'])).lines).toEqual(['1 events redriven']);
    await settled();
    expect(got).toEqual(['2']);
    const dry = await run(['replay', 'shop/orders'], { trigger: 'bill', 'from-position': '2', 'dry-run': true });
    expect(dry.lines).toEqual(['2 events read, 2 would be delivered again']);
    expect((await run(['pause', 'shop/orders'], { trigger: 'bill' })).lines).toEqual(['paused']);
    await publish('3');
    expect((await run(['status', 'shop/orders'])).lines[1]).toMatch(/^shop\/bill: 1 waiting, .*, paused$/);
    expect((await run(['resume', 'shop/orders'], { trigger: 'bill' })).lines).toEqual(['goes on']);
    await settled();
    expect(got).toEqual(['2', '3']);
  });

  test('says why an event is delivered or not', async () => {
    const file = join(dataDir, 'event.json');
    await writeFile(file, JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type: 'other' }));
    expect((await run(['why', file, 'shop/orders'])).lines[0]).toMatch(/^shop\/bill: does not get it, .*type/);
  });

  test('wrong usage, unknown brokers and a host that does not run are clear errors', async () => {
    expect((await run([])).code).toBe(2);
    await expect(run(['status', 'nothing'])).rejects.toMatchObject({ code: 'CLI_REFUSED', hint: 'there is shop/orders' });
    await expect(run(['replay', 'shop/orders'])).rejects.toMatchObject({ code: 'CLI_OPTION_INVALID', path: 'trigger' });
    await expect(run(['pause', 'shop/orders'], { trigger: 'none' })).rejects.toMatchObject({ message: /has no trigger/ });
    await server[Symbol.asyncDispose]();
    await expect(run(['list'])).rejects.toMatchObject({ code: 'CLI_NOT_RUNNING' });
  });

  test('only callers on this machine that know the token get in', async () => {
    const { url, token } = await readOperationsAddress(dataDir);
    expect((await stat(join(dataDir, 'operations.json'))).mode & 0o777).toBe(0o600);
    await using client = createHttpClient();
    const status = async (rawHeaders: readonly string[]): Promise<number> =>
      (await client.request({ method: 'GET', url: `${url}/brokers`, rawHeaders })).status;
    expect(await status([])).toBe(401);
    expect(await status(['authorization', 'Bearer wrong'])).toBe(401);
    const known = ['authorization', `Bearer ${token}`];
    expect(await status([...known, 'host', 'evil.example'])).toBe(403);
    expect(await status([...known, 'origin', 'http://localhost'])).toBe(403);
    expect(await status(known)).toBe(200);
  });
});
