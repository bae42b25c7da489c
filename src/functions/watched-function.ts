import type { Worker } from 'node:worker_threads';
import { realClock, sleep, type Clock } from '../clock.ts';
import { KnativeError } from '../errors.ts';
import { bodyOf } from '../http/read-body.ts';
import type { Exchange, HttpClient } from '../http/exchange.ts';
import { isHopByHop } from '../http/raw-headers.ts';
import { createHttpServer } from '../http/server.ts';
import { createHttpClient } from '../http/undici-client.ts';
import type { Environment } from './context.ts';
import { entryUrl } from './entry-url.ts';
import { answerFailure, type FunctionFailure } from './error-page.ts';
import { listenAddressOf } from './listen-address.ts';
import { watchFolder } from './watch-folder.ts';
import type { WorkerEntryReport } from './worker-entry.ts';

export interface WatchedFunctionOptions {
  readonly modulePath: string;
  /** Folder whose changes restart the function; node_modules and dot folders are left out. */
  readonly folder: string;
  readonly env: Environment;
  readonly port?: number;
  readonly host?: string;
  readonly clock?: Clock;
  /** Told about every start and failure. */
  readonly onEvent?: (event: WatchEvent) => void;
}

export type WatchEvent =
  | { readonly type: 'ready'; readonly startMs: number; readonly restarts: number }
  | { readonly type: 'failed'; readonly failure: FunctionFailure };

export interface WatchedFunction extends AsyncDisposable {
  readonly port: number;
  /** Starts the function anew, as a change of its files does. */
  restart(): void;
  close(): Promise<void>;
}

// Editors write a file in several steps.
const settleMs = 20;

/**
 * Runs a function in a worker thread behind a port that stays open, and starts it anew whenever its files change: a spare thread takes
 * over as soon as the function is ready there, the old one finishes its calls. While it cannot be started, requests get the reason.
 */
export async function watchFunction(options: WatchedFunctionOptions): Promise<WatchedFunction> {
  const watched = new Watched(options);
  await watched.listen();
  return watched;
}

class Watched implements WatchedFunction {
  readonly #options: WatchedFunctionOptions;
  readonly #clock: Clock;
  readonly #client: HttpClient = createHttpClient();
  readonly #server;
  #spare: Worker;
  #current: Worker | undefined;
  /** Where the newest start stands: the port of the function, or why there is none. */
  #state: Promise<number | FunctionFailure>;
  #restarts = -1;
  #pending: Disposable | undefined;
  #watcher: Disposable | undefined;
  #closed = false;

  constructor(options: WatchedFunctionOptions) {
    const wanted = listenAddressOf(options.env);
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#server = createHttpServer({
      handler: (exchange) => this.#answer(exchange),
      host: options.host ?? wanted.host,
      port: options.port ?? wanted.port,
    });
    this.#spare = startThread();
    this.#state = this.#start();
  }

  get port(): number {
    return this.#server.address().port;
  }

  async listen(): Promise<void> {
    await this.#server.listen();
    this.#watcher = watchFolder(this.#options.folder, () => {
      this.#pending?.[Symbol.dispose]();
      this.#pending = this.#clock.setTimer(settleMs, () => this.restart());
    });
    await this.#state;
  }

  restart(): void {
    if (!this.#closed) this.#state = this.#start();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#pending?.[Symbol.dispose]();
    this.#watcher?.[Symbol.dispose]();
    await this.#server.close();
    await this.#state.catch(() => undefined);
    await Promise.all([this.#current === undefined ? undefined : drain(this.#current, this.#clock), this.#spare.terminate()]);
    await this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<number | FunctionFailure> {
    const startedMs = this.#clock.monotonic();
    const thread = this.#spare;
    const previous = this.#current;
    this.#spare = startThread();
    this.#current = thread;
    const report = await reportOf(thread, this.#options);
    if (previous !== undefined) void drain(previous, this.#clock);
    if (report.type === 'failed') {
      const failure: FunctionFailure = { message: report.message, stack: report.stack };
      this.#options.onEvent?.({ type: 'failed', failure });
      return failure;
    }
    this.#restarts++;
    this.#options.onEvent?.({ type: 'ready', startMs: this.#clock.monotonic() - startedMs, restarts: this.#restarts });
    return report.port;
  }

  async #answer(exchange: Exchange): Promise<void> {
    const state = await this.#state;
    if (typeof state === 'number') await forward(exchange, this.#client, state);
    else answerFailure(exchange, state);
  }
}

function startThread(): Worker {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const thread = new Worker(entryUrl('worker-entry'));
  thread.unref();
  return thread;
}

function reportOf(thread: Worker, options: WatchedFunctionOptions): Promise<WorkerEntryReport> {
  return new Promise((resolve) => {
    thread.once('message', resolve);
    thread.once('error', (error: Error) =>
      resolve({ type: 'failed', message: error.message, ...(error.stack === undefined ? {} : { stack: error.stack }) }),
    );
    thread.once('exit', (code) =>
      resolve({ type: 'failed', message: `the function ended with code ${code} while it was started` }),
    );
    thread.postMessage({ type: 'start', modulePath: options.modulePath, env: { ...options.env } });
  });
}

const drainMaxMs = 10_000;

// Asks the thread to finish its calls; it is ended in any case after a while.
async function drain(thread: Worker, clock: Clock): Promise<void> {
  const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  thread.postMessage({ type: 'shutdown' });
  const stop = new AbortController();
  await Promise.race([ended, sleep(clock, drainMaxMs, stop.signal).catch(() => undefined)]);
  stop.abort();
  await thread.terminate();
}

/** Hands a request to the function's own port and its answer back. */
async function forward(exchange: Exchange, client: HttpClient, port: number): Promise<void> {
  const rawHeaders = endToEnd(exchange.rawHeaders);
  const answer = await client
    .request({
      method: exchange.method,
      url: `http://127.0.0.1:${port}${exchange.target}`,
      rawHeaders,
      signal: exchange.signal,
      ...(exchange.hasBody ? { body: bodyOf(exchange) } : {}),
    })
    .catch((cause: unknown) => {
      throw new KnativeError('FUNCTIONS_WORKER_GONE', 'the function ended during the request', { status: 502, cause });
    });
  exchange.writeHead(answer.status, endToEnd(answer.rawHeaders));
  for await (const chunk of answer.body) {
    if (!exchange.write(chunk)) await new Promise<void>((resolve) => exchange.onDrain(resolve));
  }
  exchange.end();
}

function endToEnd(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (!isHopByHop((rawHeaders[i] ?? '').toLowerCase())) kept.push(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '');
  }
  return kept;
}
