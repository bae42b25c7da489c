// Replays recorded exchanges of faas-js-runtime and functions-framework over real sockets: status, body, content type and CORS
// headers of every case. A case that is marked as the peer's bug and that we answer otherwise counts as skipped.
import { readdirSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { CloudEvent } from 'cloudevents';
import { start, type FaasFunction, type Invokable } from '../../src/functions/faas.ts';
import { getServer } from '../../src/functions/framework.ts';
import { exchangeRaw, type RecordedRequest, type WireResponse } from './functions.wire.ts';
import { differencesOf, type Replay, type ReplayCase } from './replay.ts';

interface Hook {
  readonly value?: unknown;
  readonly code?: number;
  readonly path?: string;
  readonly throw?: string;
}

interface Start {
  readonly function?: string;
  readonly target?: string;
  readonly signatureType?: 'http' | 'event' | 'cloudevent';
  readonly options?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly hooks?: { readonly liveness?: Hook; readonly readiness?: Hook; readonly cors?: readonly string[] };
}

interface RecordedResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

interface RecordedCase {
  readonly id: string;
  readonly request: RecordedRequest;
  readonly response: RecordedResponse;
  readonly volatile?: readonly string[];
  readonly peerBug?: string;
  readonly serverExit?: unknown;
}

interface VectorFile {
  readonly runtime?: string;
  readonly groups: readonly { readonly start: Start; readonly cases: readonly RecordedCase[] }[];
}

const fixtures = new URL('../vectors/functions/fixtures/', import.meta.url);

export const replay: Replay = async function* (folder) {
  const servers = new Map<string, Promise<Server>>();
  try {
    for (const { file, start: started, recorded } of recordedCases(folder)) {
      yield await toCase(file, recorded, () => serverFor(servers, file, started));
    }
  } finally {
    await closeAll(servers);
  }
};

/** What we answer to the cases that are marked as the peer's bugs. */
export async function* answersToPeerBugs(folder: string): AsyncGenerator<{ file: string; id: string; answer: unknown }> {
  const servers = new Map<string, Promise<Server>>();
  try {
    for (const { file, start: started, recorded } of recordedCases(folder)) {
      if (recorded.peerBug === undefined) continue;
      const answer = comparable(await exchangeRaw(await serverFor(servers, file, started), recorded.request), recorded);
      yield { file, id: recorded.id, answer };
    }
  } finally {
    await closeAll(servers);
  }
}

function* recordedCases(folder: string): Generator<{ file: string; start: Start; recorded: RecordedCase }> {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const { groups } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as VectorFile;
    for (const { start: started, cases } of groups) for (const recorded of cases) yield { file, start: started, recorded };
  }
}

function serverFor(servers: Map<string, Promise<Server>>, file: string, group: Start): Promise<Server> {
  const key = JSON.stringify([group, file]);
  const known = servers.get(key);
  if (known !== undefined) return known;
  const started = group.target === undefined ? startFaas(group) : startFramework(group);
  servers.set(key, started);
  return started;
}

async function closeAll(servers: ReadonlyMap<string, Promise<Server>>): Promise<void> {
  for (const started of servers.values()) {
    const server = await started;
    server.closeAllConnections();
    server.close();
  }
}

async function toCase(file: string, recorded: RecordedCase, serverOf: () => Promise<Server>): Promise<ReplayCase> {
  const base = { file, id: recorded.id, expected: expectedOf(recorded) };
  const check = async (expected: unknown): Promise<string[]> =>
    differencesOf(expected, comparable(await exchangeRaw(await serverOf(), recorded.request), recorded));
  if (recorded.peerBug === undefined) return { ...base, check };
  const different = (await check(base.expected)).length > 0;
  return different ? { ...base, check, skip: 'the peer has a bug here, we answer otherwise' } : { ...base, check };
}

function expectedOf(recorded: RecordedCase): unknown {
  const { status, headers = {}, body, error } = recorded.response;
  if (error !== undefined) return { error };
  return comparable({ status: status ?? 0, headers: lists(headers), body: recordedBody(body) }, recorded);
}

function lists(headers: Readonly<Record<string, string | readonly string[]>>): Map<string, readonly string[]> {
  return new Map(Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? [value] : value]));
}

function recordedBody(body: RecordedResponse['body']): WireResponse['body'] {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body['text'] === 'string') return Buffer.from(body['text']);
  if (typeof body['base64'] === 'string') return Buffer.from(body['base64'], 'base64');
  return body;
}

// What the two levels of the vectors' README compare: status, body, content type, CORS headers, and the headers of a CloudEvent.
function comparable(response: WireResponse, recorded: RecordedCase): unknown {
  if (response.error !== undefined) return { error: response.error };
  const volatile = new Set(recorded.volatile ?? []);
  const headers: Record<string, unknown> = {};
  for (const [name, values] of response.headers) {
    if (!isCompared(name) || volatile.has(`header:${name}`)) continue;
    headers[name] = values.length === 1 ? values[0] : values;
  }
  return { status: response.status, headers, ...(volatile.has('body') ? {} : { body: bodyOf(response, recorded) }) };
}

function isCompared(name: string): boolean {
  return (
    name === 'content-type' ||
    name === 'set-cookie' ||
    name === 'location' ||
    name.startsWith('access-control-') ||
    name.startsWith('ce-') ||
    name.startsWith('x-')
  );
}

function bodyOf(response: WireResponse, recorded: RecordedCase): unknown {
  const { body } = response;
  if (!(body instanceof Uint8Array)) return body;
  const text = Buffer.from(body).toString('utf8');
  if (!Buffer.from(text).equals(body)) return { base64: Buffer.from(body).toString('base64') };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof value !== 'object' || value === null) return text;
  if (namesLibrary(recorded)) return { statusCode: (value as { statusCode?: unknown }).statusCode };
  for (const path of recorded.volatile ?? [])
    if (path.startsWith('body:/')) remove(value, path.slice('body:/'.length).split('/'));
  return value;
}

// Error texts that name the peer's libraries are not part of the contract, the status is.
function namesLibrary({ response }: RecordedCase): boolean {
  if ((response.status ?? 0) < 400 || typeof response.body?.['text'] !== 'string') return false;
  return /"code":"FST_|"message":"invalid payload/.test(response.body['text']);
}

function remove(value: unknown, path: readonly string[]): void {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return;
  if (rest.length === 0) Reflect.deleteProperty(value, step);
  else remove((value as Record<string, unknown>)[step], rest);
}

async function startFaas(group: Start): Promise<Server> {
  const require = createRequire(import.meta.url);
  const { make } = require(new URL('programmable.cjs', fixtures).pathname) as { make: (library: object) => Invokable };
  const handle = make({ CloudEvent });
  const { liveness, readiness, cors } = group.hooks ?? {};
  const fn: Invokable | FaasFunction =
    group.function === 'handle'
      ? handle
      : {
          handle,
          ...(liveness === undefined ? {} : { liveness: hookOf(liveness) }),
          ...(readiness === undefined ? {} : { readiness: hookOf(readiness) }),
          ...(cors === undefined ? {} : { cors: () => [...cors] }),
        };
  return start(fn, { logLevel: 'silent', ...group.options, env: { ...group.env }, port: 0 });
}

function hookOf(hook: Hook): NonNullable<FaasFunction['liveness']> {
  const answer = (_request: unknown, reply: { code(status: number): unknown }): unknown => {
    if (hook.throw !== undefined) throw new Error(hook.throw);
    if (hook.code !== undefined) reply.code(hook.code);
    return hook.value;
  };
  return hook.path === undefined ? answer : Object.assign(answer, { path: hook.path });
}

async function startFramework(group: Start): Promise<Server> {
  const require = createRequire(import.meta.url);
  const exported = require(new URL('ff-programmable.cjs', fixtures).pathname) as Record<string, (...values: never[]) => unknown>;
  const fn = exported[group.target ?? ''];
  if (fn === undefined) throw new Error(`the fixture has no ${String(group.target)}`);
  const server = getServer(fn, { log: () => undefined, signatureType: group.signatureType ?? 'http', env: { ...group.env } });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return server;
}
