import type { Worker } from 'node:worker_threads';
import type { Clock } from '../../clock.ts';
import type { Rehearsal } from '../../functions/rehearse.ts';
import { messageOf } from '../../errors.ts';
import { cannotRun } from './child.ts';
import type { FunctionProgram } from './image-map.ts';
import { noExec, type Exit, type Launch, type LaunchEvents, type Launcher, type Run } from './launcher.ts';
import { createSparePool, type SparePool } from './spare-pool.ts';
import { attendMessage, parseEntryReport, rehearseMessage, shutdownMessage, startMessage } from './entry-messages.ts';

export interface WorkerLauncherOptions {
  readonly clock: Clock;
  /** Module that a worker starts with: it waits for the function's path, loads it and listens. */
  readonly entry: URL;
  /** Workers kept ready. */
  readonly spares: number;
  /** What spares make ready. */
  readonly rehearsal: Rehearsal;
}

/** Runs function modules in worker threads out of a pool: own environment and module cache each, one function per worker, ever. */
export function createWorkerLauncher(options: WorkerLauncherOptions): Launcher<FunctionProgram> {
  // A worker's memory limit is fixed when it starts, so that each limit has its own spares.
  const pools = new Map<number, SparePool<Worker>>();
  const poolFor = (limitBytes: number): SparePool<Worker> => {
    let pool = pools.get(limitBytes);
    if (pool === undefined) {
      pool = createSparePool({
        size: options.spares,
        clock: options.clock,
        make: () => startWorker(options.entry, limitBytes),
        prepare(worker) {
          worker.on('message', function attend(report: unknown) {
            if (parseEntryReport(report)?.type !== 'rehearsed') return;
            worker.off('message', attend);
            worker.postMessage(attendMessage);
          });
          worker.postMessage(rehearseMessage(options.rehearsal));
        },
        discard: (worker) => void worker.terminate(),
        onBroken: (worker, broken) => worker.once('exit', broken),
      });
      pools.set(limitBytes, pool);
    }
    return pool;
  };
  // Begun at once so that the very first start finds a worker too.
  poolFor(0).fill();
  return {
    launch(launch, events) {
      let worker: Worker;
      try {
        worker = poolFor(launch.container.limits?.memoryBytes ?? 0).take();
      } catch (error) {
        events.exited(cannotRun(128, messageOf(error)));
        return { stop: () => undefined, exec: noExec };
      }
      return new WorkerRun(worker, launch, events, options.clock);
    },
    async close() {
      for (const pool of pools.values()) pool.close();
      await Promise.resolve();
    },
  };
}

function startWorker(entry: URL, limitBytes: number): Worker {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const worker = new Worker(entry, {
    // An object of its own: a worker never sees the host's environment.
    env: {},
    argv: [],
    execArgv: [],
    stdout: true,
    stderr: true,
    ...(limitBytes === 0
      ? {}
      : { resourceLimits: { maxOldGenerationSizeMb: Math.max(8, Math.floor(limitBytes / 1024 / 1024)) } }),
  });
  worker.unref();
  // Without a listener an error of a spare worker would end the host; its exit is what counts.
  worker.on('error', () => undefined);
  return worker;
}

class WorkerRun implements Run {
  readonly #worker: Worker;
  readonly #events: LaunchEvents;
  readonly #clock: Clock;
  readonly #launch: Launch<FunctionProgram>;
  #error: unknown;
  #stopping = false;
  #killed = false;
  #killTimer: Disposable | undefined;
  #killAtMs = Infinity;
  #ended = false;

  constructor(worker: Worker, launch: Launch<FunctionProgram>, events: LaunchEvents, clock: Clock) {
    this.#worker = worker;
    this.#events = events;
    this.#clock = clock;
    this.#launch = launch;
    // First of all: the thread begins while the rest is done here.
    worker.postMessage(startMessage(String(launch.program.module), launch.env));
    const write = (chunk: Uint8Array): void => launch.log.write(chunk);
    worker.stdout.on('data', write);
    worker.stderr.on('data', write);
    worker.on('error', (error) => {
      this.#error = error;
      launch.log.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    });
    worker.on('message', (message: unknown) => this.#receive(message));
    worker.once('exit', (code) => this.#exit(code));
    this.#events.started();
  }

  stop(graceMs: number): void {
    if (this.#ended) return;
    this.#worker.ref();
    if (!this.#stopping && graceMs > 0) this.#worker.postMessage(shutdownMessage);
    this.#stopping = true;
    const dueMs = this.#clock.monotonic() + graceMs;
    if (dueMs >= this.#killAtMs) return;
    this.#killAtMs = dueMs;
    this.#killTimer?.[Symbol.dispose]();
    const kill = (): void => {
      this.#killed = true;
      void this.#worker.terminate();
    };
    if (graceMs <= 0) kill();
    else this.#killTimer = this.#clock.setTimer(graceMs, kill);
  }

  exec = noExec;

  #receive(value: unknown): void {
    const report = parseEntryReport(value);
    if (report?.type === 'ready') this.#events.listening({ address: `127.0.0.1:${report.port}`, accepting: true });
    else if (report?.type === 'background') this.#events.background(report.count);
    else if (report?.type === 'failed') {
      this.#error ??= new Error(report.message);
      this.#launch.log.write(`${report.stack ?? report.message}\n`);
    }
  }

  #exit(code: number): void {
    this.#killTimer?.[Symbol.dispose]();
    // What the worker wrote last arrives just after its end.
    this.#clock.setTimer(0, () => {
      if (this.#ended) return;
      this.#ended = true;
      this.#events.exited(workerExit(code, this.#error, this.#killed));
    });
  }
}

function workerExit(code: number, error: unknown, killed: boolean): Exit {
  const errorCode = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (errorCode === 'ERR_WORKER_OUT_OF_MEMORY') {
    return { exitCode: 137, signal: 'SIGKILL', reason: 'OOMKilled', message: 'used more memory than its limit' };
  }
  if (killed) return { exitCode: 137, signal: 'SIGKILL', reason: 'Error', message: 'did not end within its grace period' };
  if (error !== undefined) return { exitCode: 1, reason: 'Error', message: messageOf(error) };
  return { exitCode: code, reason: code === 0 ? 'Completed' : 'Error', message: '' };
}
