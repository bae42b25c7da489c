import { defineFunction } from './define-function.ts';
import { loadFunctionOf } from './load-function.ts';
import { findProject } from './project.ts';
import { openServer, type OpenServer } from './open-server.ts';
import { serve } from './serve.ts';
import { createStandardLogger } from './standard-logger.ts';

const flushDelayMs = 1_000;
const emptyModule = 'data:text/javascript,export const handle = () => undefined';

/** What a spare entry may make ready. */
export interface Rehearsal {
  /** Node's type stripping, which takes longest of all. */
  readonly typescript: boolean;
  /** Folder where compiled code is kept from one start to the next. */
  readonly compileCacheDir?: string;
}

/**
 * Serves one request of a function that does nothing, over a socket, so that all code of a first request is compiled before the
 * first request: it makes a spare's start several times faster. The server stays open for the function to come. Never fails; a
 * machine without sockets only starts slower.
 */
export async function rehearse({ typescript, compileCacheDir }: Rehearsal): Promise<OpenServer | undefined> {
  if (compileCacheDir !== undefined) process.getBuiltinModule('node:module').enableCompileCache(compileCacheDir);
  if (typescript) loadTypeStripping();
  try {
    // Looks for a project and fails to find a function in it: what counts is that the way has been gone.
    await loadFunctionOf(findProject(import.meta.filename)).catch(() => undefined);
    await import(emptyModule);
    const opened = await openServer();
    const rehearsal = defineFunction((_context, body) => ({ body }));
    await serve(rehearsal, { env: {}, opened, logger: createStandardLogger({}) });
    await request(opened.address.port);
    return opened;
  } catch {
    return undefined;
  }
}

function request(port: number): Promise<void> {
  const body = '{"a":1}';
  const text = `POST / HTTP/1.1\r\nhost: rehearsal\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
  const socket = process.getBuiltinModule('node:net').connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.resume();
    socket.write(text);
  });
}

/** The first stripping loads Node's parser. It warns that it is experimental, which is nobody's concern here. */
function loadTypeStripping(): void {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    process.getBuiltinModule('node:module').stripTypeScriptTypes('let text: string');
  } catch {
    // A Node without it fails when a TypeScript function is loaded, and says so then.
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Writes what has been compiled to the folder of the compile cache, a moment after a start: an entry that is killed later would
 * lose it. Does nothing when there is no such folder.
 */
export function keepCompiledCode(): void {
  setTimeout(() => process.getBuiltinModule('node:module').flushCompileCache(), flushDelayMs).unref();
}
