import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../../clock.ts';
import { killGroup, whenGroupGone, type ProcessTable } from './process-table.ts';
import type { Exit } from './launcher.ts';

export interface ChildOptions {
  readonly file: string;
  readonly argv0?: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /** File that stdout and stderr go to; opened for appending. */
  readonly logPath: string;
  /** Adds a channel for messages of Node processes. */
  readonly withChannel?: boolean;
}

/** A child that leads a process group of its own. */
export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Called once, when the child and its whole group are gone. */
  onExit(listener: (exit: Exit) => void): void;
  /** SIGTERM to the group, SIGKILL after `graceMs`; a later call can only shorten it. */
  stop(graceMs: number): void;
  /** Marks the coming end as a kill for want of memory, and kills. */
  killForMemory(message: string): void;
}

/** Children of this process that have not ended. */
const living = new Set<number>();

/** A host that ends without `close` takes its children along; only one that is killed cannot, for which there are records. */
function killOnExit(pid: number): void {
  if (living.size === 0) process.once('exit', killLiving);
  living.add(pid);
}

function killLiving(): void {
  for (const pid of living) killGroup(pid, 'SIGKILL');
}

/** Starts a child; an `Exit` when the system refuses. */
export async function startChild(
  options: ChildOptions,
  context: { readonly clock: Clock; readonly table: ProcessTable; readonly podName: string },
): Promise<Child | Exit> {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const fs = process.getBuiltinModule('node:fs');
  if (!isFolder(options.cwd)) return cannotRun(127, `working directory ${options.cwd} does not exist`);
  const fd = fs.openSync(options.logPath, 'a');
  let child: ChildProcess;
  try {
    // Whoever runs as another user opens /dev/stdout again only when the file is theirs.
    if (options.user !== undefined) fs.fchownSync(fd, options.user.uid, options.user.gid);
    child = spawn(options.file, [...options.args], {
      cwd: options.cwd,
      env: { ...options.env },
      // A file, not a pipe: Node's pipes are sockets, which /dev/stdout cannot open.
      stdio: ['ignore', fd, fd, ...(options.withChannel === true ? (['ipc'] as const) : [])],
      detached: true,
      ...(options.argv0 === undefined ? {} : { argv0: options.argv0 }),
      ...(options.user === undefined ? {} : options.user),
    });
  } catch (error) {
    return cannotRun(126, error instanceof Error ? error.message : String(error));
  } finally {
    fs.closeSync(fd);
  }
  const pid = child.pid;
  if (pid === undefined) return spawnFailure(child, options.file);
  context.table.add(pid, context.podName);
  killOnExit(pid);
  child.unref();
  child.channel?.unref();
  return wrap(child, pid, context);
}

function wrap(child: ChildProcess, pid: number, context: { readonly clock: Clock; readonly table: ProcessTable }): Child {
  const listeners: ((exit: Exit) => void)[] = [];
  let exit: Exit | undefined;
  let memoryMessage: string | undefined;
  let killTimer: Disposable | undefined;
  let killAtMs = Infinity;

  child.on('error', () => {
    // Reported by spawnFailure before this point; later ones are failed signals, which `exit` supersedes.
  });
  child.once('exit', (code, signal) => {
    killTimer?.[Symbol.dispose]();
    const finish = (): void => {
      context.table.remove(pid);
      living.delete(pid);
      if (living.size === 0) process.off('exit', killLiving);
      exit = exitOf(code, signal, memoryMessage);
      for (const listener of listeners.splice(0)) listener(exit);
    };
    // What the program has started dies with it, as the processes of a container do.
    killGroup(pid, 'SIGKILL');
    void whenGroupGone(pid, context.clock).then(finish);
  });
  return {
    process: child,
    pid,
    onExit(listener) {
      if (exit === undefined) listeners.push(listener);
      else listener(exit);
    },
    stop(graceMs) {
      if (exit !== undefined) return;
      child.ref();
      if (graceMs <= 0) {
        killGroup(pid, 'SIGKILL');
        return;
      }
      if (killAtMs === Infinity) killGroup(pid, 'SIGTERM');
      const dueMs = context.clock.monotonic() + graceMs;
      if (dueMs >= killAtMs) return;
      killAtMs = dueMs;
      killTimer?.[Symbol.dispose]();
      killTimer = context.clock.setTimer(graceMs, () => killGroup(pid, 'SIGKILL'));
    },
    killForMemory(message) {
      memoryMessage ??= message;
      killGroup(pid, 'SIGKILL');
    },
  };
}

function exitOf(code: number | null, signal: NodeJS.Signals | null, memoryMessage: string | undefined): Exit {
  if (memoryMessage !== undefined) return { exitCode: 137, signal: 'SIGKILL', reason: 'OOMKilled', message: memoryMessage };
  if (signal !== null) {
    const number = process.getBuiltinModule('node:os').constants.signals[signal];
    return { exitCode: 128 + number, signal, reason: 'Error', message: '' };
  }
  return { exitCode: code ?? 0, reason: code === 0 ? 'Completed' : 'Error', message: '' };
}

function spawnFailure(child: ChildProcess, file: string): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(cannotRun(127, `program ${JSON.stringify(file)} was not found`));
      else resolve(cannotRun(126, `program ${JSON.stringify(file)} cannot be run: ${error.message}`));
    });
  });
}

export function cannotRun(exitCode: number, message: string): Exit {
  return { exitCode, reason: 'ContainerCannotRun', message };
}

export function isExit(value: Child | Exit): value is Exit {
  return 'exitCode' in value;
}

function isFolder(path: string): boolean {
  return process.getBuiltinModule('node:fs').statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
