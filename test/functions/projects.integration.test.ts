import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import {
  frameworkQuickstart,
  makeProject,
  nodeCloudEvents,
  nodeHttp,
  typescriptCloudEventsBuilt,
  typescriptHttpBuilt,
} from './projects.ts';

/** Runs a project as a process, the way the host and `run` do, and gives its address. */
async function run(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
  path = '',
): Promise<{ url: string; stop: () => Promise<number | null> }> {
  const { folder } = makeProject(files);
  const child = fork(new URL('../../src/functions/process-entry.ts', import.meta.url), [`${folder}${path}`], {
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', ...env },
    execArgv: [],
    silent: true,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [report] = (await once(child, 'message')) as [{ type: string; port: number; message?: string }];
  if (report.type !== 'ready') throw new Error(report.message);
  return {
    url: `http://127.0.0.1:${report.port}`,
    async stop() {
      child.kill('SIGTERM');
      const [code] = (await once(child, 'exit')) as [number | null];
      return code;
    },
  };
}

const event = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't', 'content-type': 'application/json' };

test("func's node http template", async () => {
  const { url, stop } = await run(nodeHttp);
  expect(await (await fetch(`${url}/?name=tiger`)).json()).toEqual({ name: 'tiger' });
  const posted = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"tiger"}' });
  expect([posted.headers.get('content-type'), await posted.json()]).toEqual(['application/json', { name: 'tiger' }]);
  expect((await fetch(`${url}/health/readiness`)).status).toBe(200);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('faas_invocations{faas_name="sample"');
  expect(await stop()).toBe(0);
});

test("func's node cloudevents template", async () => {
  const { url } = await run(nodeCloudEvents);
  const answer = await fetch(url, { method: 'POST', headers: event, body: '{"a":1}' });
  expect(answer.headers.get('ce-type')).toBe('echo');
  expect(await answer.json()).toEqual({ seen: { a: 1 }, greeting: 'hi' });
});

test("func's typescript http template, built", async () => {
  const { url } = await run(typescriptHttpBuilt);
  const posted = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"n":1}' });
  expect(await posted.json()).toEqual({ n: 1 });
});

test("func's typescript templates run unbuilt as well", async () => {
  const { 'build/index.js': _http, ...http } = typescriptHttpBuilt;
  const posted = await fetch((await run(http)).url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"n":1}',
  });
  expect(await posted.json()).toEqual({ n: 1 });
  const { 'build/index.js': _events, ...events } = typescriptCloudEventsBuilt;
  const answer = await fetch((await run(events)).url, { method: 'POST', headers: event, body: '{"a":1}' });
  expect([answer.headers.get('ce-type'), await answer.json()]).toEqual(['t', { a: 1 }]);
});

test("func's typescript cloudevents template, built", async () => {
  const { url } = await run(typescriptCloudEventsBuilt);
  const answer = await fetch(url, { method: 'POST', headers: event, body: '{"a":1}' });
  expect([answer.status, answer.headers.get('ce-id'), await answer.json()]).toEqual([200, '1', { a: 1 }]);
});

test("functions-framework's quickstart: registered by name, by variables, or exported", async () => {
  const http = await run(frameworkQuickstart, { FUNCTION_TARGET: 'HelloWorld' });
  const answer = await fetch(`${http.url}/any/path`);
  expect([answer.headers.get('content-type'), await answer.text()]).toEqual(['text/html; charset=utf-8', 'Hello, World']);
  const events = await run(frameworkQuickstart, { FUNCTION_TARGET: 'HelloEvent' });
  expect(await (await fetch(events.url, { method: 'POST', headers: event, body: '{"a":1}' })).json()).toEqual({
    id: '1',
    data: { a: 1 },
  });
  const exported = await run(frameworkQuickstart, { FUNCTION_TARGET: 'plain' });
  expect((await fetch(`${exported.url}/x`)).status).toBe(201);
  expect(await exported.stop()).toBe(0);
});

test('a process finishes its calls on SIGTERM, runs the shutdown hook once and ends with 0', async () => {
  const { url, stop } = await run(
    {
      'index.mjs': `
export const handle = async () => { await new Promise((resolve) => setTimeout(resolve, 300)); return 'done'; };
export const shutdown = () => { process.stdout.write('bye'); };
`,
    },
    {},
    '/index.mjs',
  );
  const answer = fetch(url).then((response) => response.text());
  await new Promise((resolve) => setTimeout(resolve, 100));
  const code = stop();
  expect(await answer).toBe('done');
  expect(await code).toBe(0);
});

test('an uncaught error ends the process with a message and code 1', async () => {
  const { folder } = makeProject({
    'index.mjs': `export const handle = () => { setTimeout(() => { throw new Error('lost timer'); }, 5); return 'x'; };`,
  });
  const child = fork(new URL('../../src/functions/process-entry.ts', import.meta.url), [`${folder}/index.mjs`], {
    env: { PORT: '0' },
    execArgv: [],
    silent: true,
  });
  let errors = '';
  child.stderr?.on('data', (chunk) => (errors += String(chunk)));
  const [report] = (await once(child, 'message')) as [{ port: number }];
  expect(await (await fetch(`http://127.0.0.1:${report.port}`)).text()).toBe('x');
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(1);
  expect(errors).toContain('lost timer');
});
