// Runs one function as a process of its own: `node process-entry.js MODULE`. Listens on PORT (default 8080, 0 for any) of
// LISTEN_HOST (default all interfaces). With an IPC channel it sends {type: 'ready', port} or {type: 'failed', message} and takes {type: 'shutdown'};
// SIGTERM, SIGINT and SIGQUIT shut down too: calls under way finish, the shutdown hook runs, exit code 0.
import { messageOf } from '../errors.ts';
import { startEntry } from './run-entry.ts';
import { keepCompiledCode, rehearse, type Rehearsal } from './rehearse.ts';
import { portOf } from './listen-address.ts';
import type { FunctionServer } from './serve.ts';

interface StartMessage {
  readonly type: 'start';
  readonly modulePath: string;
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
}

const modulePath = process.argv[2];
let server: FunctionServer | undefined;
let stopping: Promise<void> | undefined;

function report(message: object): void {
  process.send?.(message);
}

async function stop(): Promise<void> {
  await server?.close();
  process.exit(0);
}

function shutdown(): void {
  stopping ??= stop().catch(fail);
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error)}\n`);
  report({ type: 'failed', message: messageOf(error) });
  process.exit(1);
}

async function main(modulePath: string | undefined): Promise<void> {
  if (modulePath === undefined) throw new Error('usage: process-entry MODULE');
  const port = portOf(process.env['PORT'], 'PORT');
  server = await startEntry({
    modulePath,
    env: process.env,
    ...(process.send === undefined ? {} : { onBackground: (count: number) => report({ type: 'background', count }) }),
    compileCache: true,
    host: process.env['LISTEN_HOST'] ?? '::',
    ...(port === undefined ? {} : { port }),
  });
  report({ type: 'ready', port: server.port });
  keepCompiledCode();
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) process.on(signal, shutdown);
process.on('message', (message: { type: 'shutdown' } | ({ type: 'rehearse' } & Rehearsal) | StartMessage) => {
  // The port of a process is its host's to choose, so that the rehearsal's server is of no use.
  if (message.type === 'rehearse') void rehearse(message).then((opened) => opened?.server.close(0));
  if (message.type === 'shutdown') shutdown();
  if (message.type !== 'start') return;
  Object.assign(process.env, message.env, { PORT: String(message.port) });
  main(message.modulePath).catch(fail);
});
process.on('uncaughtException', (error) => {
  process.stderr.write(`uncaught error in the function: ${error.stack ?? error.message}\n`);
  // The function's state is unknown now, but its shutdown hook still gets its one chance.
  const end = (): never => process.exit(1);
  (server?.close() ?? Promise.resolve()).then(end, end);
});
// Without a module, but with a channel, it is a spare: {type: 'rehearse', typescript, compileCacheDir?} and {type: 'start', modulePath, env, port} follow.
if (modulePath !== undefined || process.send === undefined) main(modulePath).catch(fail);
