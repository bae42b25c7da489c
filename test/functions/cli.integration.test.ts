import { readFileSync, readdirSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { parseArgs } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { Command } from '../../src/cli/command.ts';
import { command as newCommand } from '../../src/cli/commands/new.ts';
import { command as runCommand } from '../../src/cli/commands/run.ts';
import { command as sendCommand } from '../../src/cli/commands/send.ts';
import { defineFunction, loadFunction, serve } from '../../src/functions/index.ts';
import { createFunctionKit } from '../../src/testing/function-kit.ts';
import { makeProject } from './projects.ts';

interface Invocation {
  readonly code: Promise<number>;
  readonly lines: string[];
  readonly errors: string[];
  stop(): void;
}

function invoke(command: Command, args: readonly string[], env: Readonly<Record<string, string>> = {}, input = ''): Invocation {
  const { values, positionals } = parseArgs({ args: [...args], options: command.options, allowPositionals: true });
  const lines: string[] = [];
  const errors: string[] = [];
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const stdin = new PassThrough();
  stdin.end(input);
  const code = command.run({
    options: values,
    positionals,
    env,
    stdin,
    print: (line) => void lines.push(line),
    printError: (line) => void errors.push(line),
    isTty: false,
    signal: stop.signal,
  });
  return { code, lines, errors, stop: () => stop.abort() };
}

async function until<T>(what: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 500; i++) {
    const value = await what();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not happen');
}

const urlOf = (invocation: Invocation): Promise<string> => until(() => /http:\S+\d/.exec(invocation.lines[0] ?? '')?.[0]);

test('run serves a module until it is stopped', async () => {
  const { folder } = makeProject({ 'fn.mjs': 'export default (context) => `${context.env.NAME}`' });
  const run = invoke(runCommand, [`${folder}/fn.mjs`, '--port', '0'], { NAME: 'mine' });
  const url = await urlOf(run);
  expect(await (await fetch(url)).text()).toBe('mine');
  run.stop();
  expect(await run.code).toBe(0);
});

test('run --watch keeps the port over changes and shows what is wrong with the new version', async () => {
  const { folder, write } = makeProject({ 'fn.mjs': 'export default () => "one"' });
  const run = invoke(runCommand, [`${folder}/fn.mjs`, '--port', '0', '--watch']);
  const url = await urlOf(run);
  const text = async (): Promise<string> => (await fetch(url)).text();
  expect(await text()).toBe('one');
  write('fn.mjs', 'export default () => "two"');
  await until(async () => ((await text()) === 'two' ? true : undefined));
  write('fn.mjs', 'export default () =>');
  await until(async () => ((await fetch(url)).status === 500 ? true : undefined));
  const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text();
  expect(page).toContain('<h1>The function cannot be started</h1>');
  expect(page).toContain('SyntaxError');
  write('fn.mjs', 'export default () => "three"');
  await until(async () => ((await text()) === 'three' ? true : undefined));
  expect(run.lines.at(-1)).toMatch(/^restarted in \d+ ms$/);
  run.stop();
  expect(await run.code).toBe(0);
});

test('send makes events from templates, options, files and standard input', async () => {
  const types: string[] = [];
  await using server = await serve(
    defineFunction.event((context, event) => {
      types.push(`${event.type} ${JSON.stringify(event.data)} ${String(event['team'] ?? '')}`.trim());
      return event.type === 'bad'
        ? { statusCode: 400, body: 'no' }
        : context.cloudEventResponse({ ok: true }).type('reply').response();
    }),
    { port: 0, host: '127.0.0.1', env: {} },
  );
  const { folder } = makeProject({ 'events.json': '[{"type":"f1"},{"type":"f2"}]' });
  const send = async (args: readonly string[], input = ''): Promise<[number, string[]]> => {
    const invocation = invoke(sendCommand, ['--url', server.url, ...args], {}, input);
    return [await invocation.code, invocation.lines];
  };
  expect(await send(['--template', 'ping', '--data', '{"a":1}', '--extension', 'team=x'])).toEqual([
    0,
    expect.arrayContaining(['200', 'ce-type: reply', '{"ok":true}']),
  ]);
  expect((await send([`${folder}/events.json`, '--mode', 'structured', '--quiet']))[1]).toEqual(['2 accepted, 0 refused']);
  expect((await send(['-', '--mode', 'batch', '--quiet'], '{"type":"l1"}\n{"type":"l2"}\n'))[0]).toBe(0);
  expect((await send(['--type', 'bad', '--quiet']))[0]).toBe(1);
  expect((await send(['--type', 'many', '--count', '20', '--rate', '500']))[1].at(-1)).toBe('20 × 200');
  expect(types.slice(0, 6)).toEqual([
    'dev.knative.sources.ping {"a":1} x',
    'f1 undefined',
    'f2 undefined',
    'l1 undefined',
    'l2 undefined',
    'bad {"message":"Hello World"}',
  ]);
  expect(types).toHaveLength(26);
});

test.each([
  ['an unknown template', ['--template', 'nothing'], '--template'],
  ['a mode that is none', ['--mode', 'pigeon'], '--mode'],
  ['data that are no JSON', ['--data', '{'], '--data'],
  ['a rate that is none', ['--rate', 'fast'], '--rate'],
])('send refuses %s', async (_name, args, path) => {
  await expect(invoke(sendCommand, args).code).rejects.toMatchObject({ path });
});

test.each(['http', 'event', 'typescript', 'express'])(
  'new function --template %s makes a project with a test',
  async (template) => {
    const { folder } = makeProject({});
    const target = `${folder}/made`;
    expect(await invoke(newCommand, ['function', target, '--template', template]).code).toBe(0);
    expect(readdirSync(target)).toEqual(expect.arrayContaining(['package.json', 'test']));
    expect(JSON.parse(readFileSync(`${target}/package.json`, 'utf8'))).toMatchObject({
      name: 'made',
      scripts: { test: 'node --test' },
    });
    await expect(invoke(newCommand, ['function', target]).code).rejects.toMatchObject({ code: 'CLI_FOLDER_NOT_EMPTY' });
  },
);

test('the function of a new project runs', async () => {
  const { folder } = makeProject({});
  await invoke(newCommand, ['function', `${folder}/made`, '--template', 'typescript']).code;
  // The project finds this package by its own dependency; here the import is resolved to the sources.
  const { pathToFileURL } = process.getBuiltinModule('node:url');
  const { registerHooks } = process.getBuiltinModule('node:module');
  const url = pathToFileURL(new URL('../../src/functions/index.ts', import.meta.url).pathname).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'knative-embed/functions' ? { url, shortCircuit: true } : next(specifier, context),
  });
  const { definition } = await loadFunction(`${folder}/made`);
  await using kit = createFunctionKit(definition);
  expect((await kit.send({ type: 'order.placed', data: { order: 'o-1', total: 12 } })).event?.data).toEqual({
    order: 'o-1',
    accepted: true,
  });
  expect((await kit.send({ type: 'order.placed', data: {} })).status).toBe(400);
});
