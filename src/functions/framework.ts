// The interface of @google-cloud/functions-framework: `http(name, fn)`, `cloudEvent(name, fn)` and the server that calls them.
import type { Server } from 'node:http';
import type { Environment } from './context.ts';
import { readFrameworkBody } from './framework-body.ts';
import {
  backgroundEventOf,
  callEventFunction,
  eventsOf,
  sendCrash,
  sendEventResult,
  type UserFunction,
} from './framework-call.ts';
import { register, registeredFunction, signatureTypes, type SignatureType } from './framework-registry.ts';
import { createRequestClass, type FrameworkRequest } from './framework-request.ts';
import { createResponseClass, escapeHtml, type FrameworkResponse } from './framework-response.ts';
import { runAsCall, watchUncaught } from './uncaught.ts';

export type { FrameworkRequest as Request } from './framework-request.ts';
export type { FrameworkResponse as Response } from './framework-response.ts';
export { type SignatureType } from './framework-registry.ts';

/** Answers a request by hand; what it returns is ignored. */
export type HttpFunction = (request: FrameworkRequest, response: FrameworkResponse) => unknown;
/** Handles an event: by its result, a promise, or the callback when it declares a second parameter. */
export type CloudEventFunction = (event: never, callback: (error?: unknown, result?: unknown) => void) => unknown;

/** Registers an HTTP function under a name (a letter, then letters, digits, - and _, at most 63). */
export function http(name: string, fn: HttpFunction): void {
  register(name, 'http', fn);
}

/** Registers a function for CloudEvents under a name. */
export function cloudEvent(name: string, fn: CloudEventFunction): void {
  register(name, 'cloudevent', fn);
}

/** Registers a function from a JSON body to a JSON answer; `fromJson` may turn the parsed body into another type. */
export function typed<Input>(
  name: string,
  fn: (input: Input) => unknown,
  fromJson: (value: unknown) => Input = (value) => value as Input,
): void {
  register(name, 'http', async (request: FrameworkRequest, response: FrameworkResponse) => {
    response.json(await fn(fromJson(request.body)));
  });
}

export interface FrameworkServerOptions {
  /** Default http. */
  readonly signatureType?: SignatureType;
  /** Default the process's: NODE_ENV, IGNORED_ROUTES and CLOUD_RUN_TIMEOUT_SECONDS are read. */
  readonly env?: Environment;
  /** Time limit of a call; then `req.abortController` aborts. Default: CLOUD_RUN_TIMEOUT_SECONDS, else none. */
  readonly timeoutMs?: number;
  /** Paths that are answered 404: a path and everything below it. Default: IGNORED_ROUTES, else /favicon.ico and /robots.txt of http functions. */
  readonly ignoredRoutes?: string;
  /** Where failures are written; default standard error. */
  readonly log?: (message: string) => void;
}

/** A node:http server for a function, not yet listening. */
export function getServer(fn: (...values: never[]) => unknown, options: FrameworkServerOptions = {}): Server {
  const env = options.env ?? process.env;
  const settings: CallSettings = {
    fn: fn as UserFunction,
    signatureType: checkSignature(options.signatureType ?? 'http'),
    production: env['NODE_ENV'] === 'production',
    timeoutMs: options.timeoutMs ?? Number(env['CLOUD_RUN_TIMEOUT_SECONDS'] ?? 0) * 1000,
    isIgnored: ignoredBy(options.ignoredRoutes ?? env['IGNORED_ROUTES'], options.signatureType ?? 'http'),
    log: options.log ?? ((message) => void process.stderr.write(`${message}\n`)),
  };
  const server = process
    .getBuiltinModule('node:http')
    .createServer(
      { IncomingMessage: createRequestClass(), ServerResponse: createResponseClass() } as never,
      (request, response) => answer(request as FrameworkRequest, response as unknown as FrameworkResponse, settings),
    );
  server.on('listening', () => watchUncaught(server, (exitCode) => process.exit(exitCode)));
  return server;
}

interface CallSettings {
  readonly fn: UserFunction;
  readonly signatureType: SignatureType;
  readonly production: boolean;
  readonly timeoutMs: number;
  readonly isIgnored: (path: string) => boolean;
  readonly log: (message: string) => void;
}

function checkSignature(type: string): SignatureType {
  const found = signatureTypes.find((candidate) => candidate === type);
  if (found === undefined) throw new Error(`the signature type must be one of ${signatureTypes.join(', ')}`);
  return found;
}

function answer(request: FrameworkRequest, response: FrameworkResponse, settings: CallSettings): void {
  readFrameworkBody(request, response, (error) => {
    if (error !== undefined) {
      if (!request.destroyed || request.complete) sendCrash(response, error, 'crash', settings.production);
      return;
    }
    if (settings.isIgnored(request.path)) response.status(404).send(null);
    else if (settings.signatureType !== 'http' && request.method !== 'POST') notFound(request, response);
    else call(request, response, settings);
  });
}

function call(request: FrameworkRequest, response: FrameworkResponse, settings: CallSettings): void {
  const fail = (error: unknown, kind: 'crash' | 'error'): void => {
    settings.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    sendCrash(response, error, kind, settings.production);
  };
  if (settings.timeoutMs > 0) limitTime(request, response, settings.timeoutMs);
  runAsCall({ fail: (error) => fail(error, 'crash') }, () => {
    try {
      if (settings.signatureType === 'http') {
        const result = settings.fn(request, response);
        if (result instanceof Promise) result.catch((error: unknown) => fail(error, 'crash'));
        return;
      }
      const nowIso = new Date().toISOString();
      const work =
        settings.signatureType === 'event' ? callBackground(request, settings, nowIso) : callEvents(request, settings, nowIso);
      work.then((result) => sendEventResult(response, result, settings.log)).catch((error: unknown) => fail(error, 'error'));
    } catch (error) {
      fail(error, 'crash');
    }
  });
}

function callBackground(request: FrameworkRequest, settings: CallSettings, nowIso: string): Promise<unknown> {
  const { data, context } = backgroundEventOf(request, nowIso);
  return callEventFunction(settings.fn, [data, context]);
}

// The events of a batch one after the other; only a single event has an answer.
async function callEvents(request: FrameworkRequest, settings: CallSettings, nowIso: string): Promise<unknown> {
  const events = eventsOf(request, nowIso);
  let result: unknown;
  for (const event of events) result = await callEventFunction(settings.fn, [event]);
  return events.length === 1 ? result : undefined;
}

function limitTime(request: FrameworkRequest, response: FrameworkResponse, timeoutMs: number): void {
  const timer = setTimeout(() => request.abortController.abort(new Error('timeout')), timeoutMs);
  timer.unref();
  response.on('close', () => {
    clearTimeout(timer);
    if (!response.writableFinished) request.abortController.abort(new Error('request closed'));
  });
}

function ignoredBy(routes: string | undefined, signatureType: SignatureType): (path: string) => boolean {
  if (routes === undefined)
    return signatureType === 'http' ? (path) => path === '/favicon.ico' || path === '/robots.txt' : () => false;
  const route = routes.trim().replace(/\/+$/, '');
  return route === '' ? () => false : (path) => path === route || path.startsWith(`${route}/`);
}

function notFound(request: FrameworkRequest, response: FrameworkResponse): void {
  const page = [
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<title>Error</title>',
    '</head>',
    '<body>',
    `<pre>Cannot ${escapeHtml(request.method ?? '')} ${escapeHtml(request.path)}</pre>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
  response.set({ 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff' });
  response.status(404).send(page);
}

/** A registered function, for tests of users. */
export function getFunction(name: string): ((...values: never[]) => unknown) | undefined {
  return registeredFunction(name)?.userFunction;
}

/** A server for a registered function, for tests of users. */
export function getTestServer(name: string): Server {
  const found = registeredFunction(name);
  if (found === undefined)
    throw new Error(`no function ${JSON.stringify(name)} is registered: import the module that registers it first`);
  return getServer(found.userFunction, { signatureType: found.signatureType });
}
