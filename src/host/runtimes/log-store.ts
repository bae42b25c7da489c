import type { Clock } from '../../clock.ts';
import type { LogOptions } from './runtime.ts';

/** Where one run of a container writes. */
export interface LogWriter {
  /** Path of the file, `undefined` for a log in memory. */
  readonly path: string | undefined;
  write(chunk: string | Uint8Array): void;
  /** Takes over a file that a spare process has been writing to from its start. */
  adopt(path: string): void;
  /** Nothing more comes. */
  close(): void;
}

/** What one run wrote. `read` answers the bytes after an offset and the next offset. */
interface RunLog extends LogWriter {
  readonly closed: boolean;
  read(offset: number): { chunk: Uint8Array; next: number };
  /** Cuts a log that has grown beyond its limit; what was cut off is kept once. */
  limit(): void;
  remove(): void;
}

/** The logs of one container: its current run and the one before. */
export interface ContainerLog {
  /** Begins the log of a new run. */
  open(): LogWriter;
  read(options: LogOptions, clock: Clock, stopped: () => boolean): AsyncIterable<Uint8Array>;
  limit(): void;
  remove(): void;
}

export interface LogLimits {
  /** Bytes of one run that are kept before the older half is dropped. */
  readonly bytesMax: number;
}

const pollMs = 100;

/** Logs as files `N.log` in `folder`, which children can open again by `/dev/stdout`. Made when the first is written. */
export function createFileLogs(folder: string, limits: LogLimits): ContainerLog {
  const fs = process.getBuiltinModule('node:fs');
  let isMade = false;
  // Not at once: a start from zero has no time for folders, and most functions write nothing.
  const makeFolder = (): void => {
    if (!isMade) fs.mkdirSync(folder, { recursive: true });
    isMade = true;
  };
  let count = 0;
  return createLogs(() => createFileRun(`${folder}/${count++}.log`, makeFolder, limits));
}

/** Logs in memory: for functions in the host's own thread. */
export function createMemoryLogs(limits: LogLimits): ContainerLog {
  return createLogs(() => createMemoryRun(limits));
}

function createLogs(make: () => RunLog): ContainerLog {
  const runs: RunLog[] = [];
  const read = async function* (options: LogOptions, clock: Clock, stopped: () => boolean): AsyncIterable<Uint8Array> {
    let run = options.previous ? runs.at(-2) : runs.at(-1);
    let offset = 0;
    let first = true;
    for (;;) {
      const ended = run?.closed ?? false;
      const { chunk, next } = run?.read(offset) ?? { chunk: new Uint8Array(), next: 0 };
      offset = next;
      const part = first && options.tailLines !== undefined ? lastLines(chunk, options.tailLines) : chunk;
      first = false;
      if (part.length > 0) yield part;
      if (!options.follow || options.previous || options.signal?.aborted) return;
      const latest = runs.at(-1);
      if (ended && latest !== run) {
        run = latest;
        offset = 0;
        continue;
      }
      if (stopped() && (ended || run === undefined)) return;
      await pause(clock, options.signal);
    }
  };
  return {
    open() {
      runs.at(-1)?.close();
      const run = make();
      runs.push(run);
      while (runs.length > 2) runs.shift()?.remove();
      return run;
    },
    read,
    limit: () => runs.at(-1)?.limit(),
    remove() {
      for (const run of runs) run.remove();
    },
  };
}

function createFileRun(path: string, makeFolder: () => void, limits: LogLimits): RunLog {
  const fs = process.getBuiltinModule('node:fs');
  let fd: number | undefined;
  let closed = false;
  return {
    get path() {
      makeFolder();
      return path;
    },
    get closed() {
      return closed;
    },
    write(chunk) {
      if (closed) return;
      if (fd === undefined) {
        makeFolder();
        fd = fs.openSync(path, 'a');
      }
      fs.writeSync(fd, typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    },
    adopt(other) {
      makeFolder();
      fs.renameSync(other, path);
    },
    close() {
      closed = true;
      if (fd !== undefined) fs.closeSync(fd);
      fd = undefined;
    },
    read(offset) {
      let file: number;
      try {
        file = fs.openSync(path, 'r');
      } catch {
        return { chunk: new Uint8Array(), next: offset };
      }
      try {
        const size = fs.fstatSync(file).size;
        const from = offset > size ? 0 : offset;
        const buffer = Buffer.allocUnsafe(size - from);
        const length = fs.readSync(file, buffer, 0, buffer.length, from);
        return { chunk: buffer.subarray(0, length), next: from + length };
      } finally {
        fs.closeSync(file);
      }
    },
    limit() {
      // The writer has the file open for appending, so that it goes on at the start once the file is empty.
      if (closed || (fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= limits.bytesMax) return;
      fs.copyFileSync(path, `${path}.1`);
      fs.truncateSync(path, 0);
    },
    remove() {
      this.close();
      fs.rmSync(path, { force: true });
      fs.rmSync(`${path}.1`, { force: true });
    },
  };
}

function createMemoryRun(limits: LogLimits): RunLog {
  let chunks: Uint8Array[] = [];
  let start = 0;
  let size = 0;
  let closed = false;
  const run: RunLog = {
    path: undefined,
    get closed() {
      return closed;
    },
    write(chunk) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      chunks.push(bytes);
      size += bytes.length;
      run.limit();
    },
    adopt: () => undefined,
    close() {
      closed = true;
    },
    read(offset) {
      const all = Buffer.concat(chunks);
      return { chunk: all.subarray(Math.max(0, offset - start)), next: start + size };
    },
    limit() {
      while (size > limits.bytesMax && chunks.length > 1) {
        const dropped = chunks.shift()?.length ?? 0;
        start += dropped;
        size -= dropped;
      }
    },
    remove() {
      closed = true;
      chunks = [];
      start += size;
      size = 0;
    },
  };
  return run;
}

/** The last `count` lines of a text, as bytes. */
function lastLines(chunk: Uint8Array, count: number): Uint8Array {
  if (count <= 0) return new Uint8Array();
  let from = chunk.length;
  if (chunk[from - 1] === 10) from--;
  for (let left = count; left > 0 && from > 0; left--) {
    from = chunk.lastIndexOf(10, from - 1);
    if (from < 0) return chunk;
  }
  return chunk.subarray(from + 1);
}

function pause(clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer[Symbol.dispose]();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.setTimer(pollMs, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
