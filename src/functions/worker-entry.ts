// Runs one function inside a worker thread. Messages in: {type: 'start', modulePath, env, port?}, {type: 'shutdown'}, and before
// the start, while it waits, {type: 'rehearse', typescript, compileCacheDir?}, answered with {type: 'rehearsed'}, and {type: 'attend'}.
// Messages out: {type: 'ready', port} or {type: 'failed', message, stack?}, {type: 'background', count} when `waitUntil` work begins or ends; after a shutdown the thread ends with code 0.
import { messageOf } from '../errors.ts';
import { startEntry } from './run-entry.ts';
import { keepCompiledCode, rehearse, type Rehearsal } from './rehearse.ts';
import type { OpenServer } from './open-server.ts';
import type { FunctionServer } from './serve.ts';

/** What the owner of the thread sends. */
export type WorkerEntryMessage =
  | {
      readonly type: 'start';
      readonly modulePath: string;
      readonly env: Readonly<Record<string, string | undefined>>;
      readonly port?: number;
    }
  | ({ readonly type: 'rehearse' } & Rehearsal)
  /** Does nothing: the first message that a running thread gets costs a millisecond more than all later ones. */
  | { readonly type: 'attend' }
  | { readonly type: 'shutdown' };

/** How much background work (`waitUntil`) is under way; sent after every change, never before `ready`. */
export interface WorkerEntryCount {
  readonly type: 'background';
  readonly count: number;
}

/** The rehearsal is over. */
export interface WorkerEntryRehearsed {
  readonly type: 'rehearsed';
}

/** What the thread answers to the start. */
export type WorkerEntryReport =
  | { readonly type: 'ready'; readonly port: number }
  | { readonly type: 'failed'; readonly message: string; readonly stack?: string };

const { parentPort } = process.getBuiltinModule('node:worker_threads');

// Starting takes a moment: a shutdown that comes meanwhile waits for it.
let server: Promise<FunctionServer> | undefined;
let opened: OpenServer | undefined;

async function start(message: WorkerEntryMessage & { type: 'start' }): Promise<void> {
  // A worker's process.env is its own, so that functions find their environment there as well.
  for (const [name, value] of Object.entries(message.env)) if (value !== undefined) process.env[name] = value;
  const { port: wantedPort = 0 } = message;
  server = startEntry({
    modulePath: message.modulePath,
    env: message.env,
    host: '127.0.0.1',
    port: wantedPort,
    onBackground: (count) => report({ type: 'background', count }),
    // A rehearsal that is still under way is not waited for.
    ...(wantedPort === 0 && opened !== undefined ? { opened } : {}),
  });
  const { port } = await server;
  report({ type: 'ready', port });
  keepCompiledCode();
}

async function shutdown(): Promise<void> {
  await (await server)?.close();
  process.exit(0);
}

function report(message: WorkerEntryReport | WorkerEntryCount | WorkerEntryRehearsed): void {
  parentPort?.postMessage(message);
}

function fail(error: unknown): never {
  // What a module that cannot be loaded threw says more than where we loaded it.
  const origin = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const stack = origin instanceof Error ? origin.stack : undefined;
  report({ type: 'failed', message: messageOf(error), ...(stack === undefined ? {} : { stack }) });
  process.exit(1);
}

async function prepare(rehearsal: Rehearsal): Promise<void> {
  opened = await rehearse(rehearsal);
  report({ type: 'rehearsed' });
}

parentPort?.on('message', (message: WorkerEntryMessage) => {
  switch (message.type) {
    case 'rehearse':
      void prepare(message);
      break;
    case 'attend':
      break;
    case 'start':
      start(message).catch(fail);
      break;
    case 'shutdown':
      shutdown().catch(fail);
  }
});
