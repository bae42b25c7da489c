import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Server } from 'node:http';

/** What an error that nobody caught is given to. */
export interface RunningCall {
  readonly fail: (error: unknown) => void;
}

let storage: AsyncLocalStorage<RunningCall> | undefined;

/** Runs the code of a call so that errors from its timers and promises can be told from others'. */
export function runAsCall(call: RunningCall, run: () => void): void {
  storage ??= new (process.getBuiltinModule('node:async_hooks').AsyncLocalStorage)<RunningCall>();
  storage.run(call, run);
}

const ends = new Map<Server, (exitCode: number) => void>();

/**
 * From now until the server closes, an uncaught error of a call fails that call; one that belongs to no call ends the process
 * with a message and code 1, by `end` so that shutdown hooks run.
 */
export function watchUncaught(server: Server, end: (exitCode: number) => void): void {
  if (ends.size === 0) process.on('uncaughtException', onUncaught);
  ends.set(server, end);
  server.once('close', () => {
    ends.delete(server);
    if (ends.size === 0) process.off('uncaughtException', onUncaught);
  });
}

function onUncaught(error: unknown): void {
  const call = storage?.getStore();
  if (call !== undefined) {
    call.fail(error);
    return;
  }
  process.stderr.write(
    `uncaught error in the function: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  for (const end of ends.values()) end(1);
}
