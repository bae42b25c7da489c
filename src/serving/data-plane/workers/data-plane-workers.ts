import type { ChildProcess } from 'node:child_process';
import { realClock, sleep, type Clock } from '../../../clock.ts';
import { KnativeError } from '../../../errors.ts';
import { silentLogger, type Logger } from '../../../logger.ts';
import type { RoutableIngress } from '../../router-compile.ts';
import type { RequestReport } from '../../request-stats.ts';
import type { RevisionKey, RevisionSettings } from '../revision.ts';
import type { AddressedInstance, WorkerCommand, WorkerEvent } from './messages.ts';
import { RevisionShares } from './revision-shares.ts';

export interface DataPlaneWorkersOptions {
  /** Processes; at least 1. */
  readonly workers: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: the system chooses, the same for all. */
  readonly port?: number;
  /** `public`: cluster-local hosts do not exist here. Default `local`. */
  readonly listener?: 'public' | 'local';
  /** `host:port` of a server that answers hosts which no route has, the owner's own; default: they are answered 404. */
  readonly fallback?: string;
  /** Called when a request finds no instance of a revision in some worker. */
  readonly onColdStart?: (revision: RevisionKey) => void;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** The program of a worker; default: the one that comes with the package. */
  readonly entry?: URL;
}

/**
 * The gateway in several processes that share a port (SO_REUSEPORT: Linux), told what to do like a router and an activator
 * in one.
 */
export interface DataPlaneWorkers extends AsyncDisposable {
  /** Starts the workers; resolves when all of them listen. */
  listen(): Promise<{ readonly host: string; readonly port: number; readonly url: string }>;
  setIngress(ingress: RoutableIngress): void;
  /** Removes the Ingress `namespace/name`. */
  deleteIngress(key: string): void;
  /** The ready instances of a revision. Its hard limit holds over all workers together. */
  setInstances(revision: RevisionKey, instances: readonly AddressedInstance[], settings?: RevisionSettings): void;
  deleteRevision(revision: RevisionKey): void;
  /** Gives the instance no more requests, in any worker; resolves when it has none left. */
  drain(revision: RevisionKey, instance: string): Promise<void>;
  /** Statistics of all workers together since the last reports. */
  reports(): Promise<ReadonlyMap<RevisionKey, RequestReport>>;
  /** Running requests finish within `graceMs` (default 10 s). */
  close(graceMs?: number): Promise<void>;
}

export function createDataPlaneWorkers(options: DataPlaneWorkersOptions): DataPlaneWorkers {
  return new WorkerPool(options);
}

interface Worker {
  readonly process: ChildProcess;
  readonly index: number;
  internalAddress: string;
  alive: boolean;
}

class WorkerPool implements DataPlaneWorkers {
  readonly #options: DataPlaneWorkersOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #ingresses = new Map<string, RoutableIngress>();
  readonly #revisions = new Map<RevisionKey, RevisionShares>();
  readonly #pending = new Map<number, { readonly worker: Worker; readonly resolve: (event: WorkerEvent | undefined) => void }>();
  #workers: Worker[] = [];
  #nextId = 0;
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(options: DataPlaneWorkersOptions) {
    if (!Number.isInteger(options.workers) || options.workers < 1) {
      throw new KnativeError('SERVING_OPTION_INVALID', `workers must be at least 1, got ${options.workers}`, { path: 'workers' });
    }
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#logger = options.logger ?? silentLogger;
  }

  async listen(): Promise<{ readonly host: string; readonly port: number; readonly url: string }> {
    const host = this.#options.host ?? '127.0.0.1';
    this.#port = this.#options.port ?? 0;
    // One after the other: the first one's port is everybody's.
    for (let index = 0; index < this.#options.workers; index++) this.#workers.push(await this.#start(index));
    return { host, port: this.#port, url: `http://${host}:${this.#port}` };
  }

  setIngress(ingress: RoutableIngress): void {
    const { namespace = '', name } = ingress.metadata;
    this.#ingresses.set(namespace === '' ? name : `${namespace}/${name}`, ingress);
    this.#broadcast({ type: 'ingress', ingress });
  }

  deleteIngress(key: string): void {
    this.#ingresses.delete(key);
    this.#broadcast({ type: 'delete-ingress', key });
  }

  setInstances(revision: RevisionKey, instances: readonly AddressedInstance[], settings: RevisionSettings = {}): void {
    let shares = this.#revisions.get(revision);
    if (shares === undefined) {
      shares = new RevisionShares(this.#options.workers, {
        give: (worker, share, given) => this.#send(this.#workers[worker], { type: 'share', revision, settings: given, share }),
        release: async (worker, instance) => {
          await this.#ask(this.#workers[worker], (id) => ({ type: 'release', revision, instance, id }));
        },
        addressOf: (worker) => this.#workers[worker]?.internalAddress ?? '',
      });
      this.#revisions.set(revision, shares);
    }
    shares.set(instances, settings);
  }

  deleteRevision(revision: RevisionKey): void {
    this.#revisions.delete(revision);
    this.#broadcast({ type: 'delete-revision', revision });
  }

  async drain(revision: RevisionKey, instance: string): Promise<void> {
    await this.#revisions.get(revision)?.drain(instance);
  }

  async reports(): Promise<ReadonlyMap<RevisionKey, RequestReport>> {
    const events = await Promise.all(this.#workers.map((worker) => this.#ask(worker, (id) => ({ type: 'report', id }))));
    const sums = new Map<RevisionKey, RequestReport>();
    for (const event of events) {
      for (const [revision, report] of event?.type === 'done' ? (event.reports ?? []) : []) {
        sums.set(revision, add(sums.get(revision), report));
      }
    }
    return sums;
  }

  close(graceMs = 10_000): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(graceMs: number): Promise<void> {
    const ends = this.#workers.map(async ({ process: child, alive }) => {
      if (!alive) return;
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.send({ type: 'close', graceMs } satisfies WorkerCommand);
      await Promise.race([exited, sleep(this.#clock, graceMs + 1_000)]);
      child.kill('SIGKILL');
      await exited;
    });
    await Promise.all(ends);
  }

  async #start(index: number): Promise<Worker> {
    const { fork } = process.getBuiltinModule('node:child_process');
    const { fileURLToPath } = process.getBuiltinModule('node:url');
    const entry = this.#options.entry ?? workerEntry();
    const child = fork(fileURLToPath(entry), [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const worker: Worker = { process: child, index, internalAddress: '', alive: true };
    const listening = new Promise<void>((resolve, reject) => {
      child.on('message', (message) => this.#received(worker, message as WorkerEvent, resolve, reject));
      child.once('exit', (code) => {
        worker.alive = false;
        reject(new KnativeError('SERVING_WORKER_FAILED', `data-plane worker ${index} ended with code ${String(code)}`));
        this.#gone(worker);
      });
    });
    const { host = '127.0.0.1', listener = 'local', fallback } = this.#options;
    this.#send(worker, { type: 'listen', host, port: this.#port, listener, ...(fallback === undefined ? {} : { fallback }) });
    await listening;
    for (const ingress of this.#ingresses.values()) this.#send(worker, { type: 'ingress', ingress });
    return worker;
  }

  #received(worker: Worker, event: WorkerEvent, listening: () => void, failed: (error: Error) => void): void {
    if (event.type === 'listening') {
      this.#port = event.port;
      worker.internalAddress = `127.0.0.1:${event.internalPort}`;
      listening();
    } else if (event.type === 'failed') failed(new KnativeError('HTTP_LISTEN_FAILED', event.message, { path: 'port' }));
    else if (event.type === 'cold-start') this.#options.onColdStart?.(event.revision);
    else {
      const pending = this.#pending.get(event.id);
      this.#pending.delete(event.id);
      pending?.resolve(event);
    }
  }

  /** A worker that ends unasked is started again, with everything that it knew. */
  #gone(worker: Worker): void {
    for (const [id, pending] of this.#pending) {
      if (pending.worker !== worker) continue;
      this.#pending.delete(id);
      pending.resolve(undefined);
    }
    if (this.#closing !== undefined || this.#workers[worker.index] !== worker) return;
    this.#logger.error({ worker: worker.index }, 'data-plane worker ended; starting another one');
    this.#start(worker.index).then(
      (next) => {
        this.#workers[worker.index] = next;
        for (const shares of this.#revisions.values()) shares.renew();
      },
      (error: unknown) => this.#logger.error({ worker: worker.index, error: String(error) }, 'data-plane worker did not start'),
    );
  }

  #broadcast(command: WorkerCommand): void {
    for (const worker of this.#workers) this.#send(worker, command);
  }

  #send(worker: Worker | undefined, command: WorkerCommand): void {
    if (worker?.alive === true && worker.process.connected) worker.process.send(command);
  }

  #ask(worker: Worker | undefined, command: (id: number) => WorkerCommand): Promise<WorkerEvent | undefined> {
    if (worker?.alive !== true) return Promise.resolve(undefined);
    const id = ++this.#nextId;
    return new Promise((resolve) => {
      this.#pending.set(id, { worker, resolve });
      this.#send(worker, command(id));
    });
  }
}

function add(sum: RequestReport | undefined, report: RequestReport): RequestReport {
  if (sum === undefined) return report;
  return {
    averageConcurrentRequests: sum.averageConcurrentRequests + report.averageConcurrentRequests,
    averageProxiedConcurrentRequests: sum.averageProxiedConcurrentRequests + report.averageProxiedConcurrentRequests,
    requestCount: sum.requestCount + report.requestCount,
    proxiedRequestCount: sum.proxiedRequestCount + report.proxiedRequestCount,
  };
}

/** The worker's program beside this file, wherever the bundler has put this one. */
function workerEntry(): URL {
  if (import.meta.url.endsWith('.ts')) return new URL('../../data-plane-worker.ts', import.meta.url);
  const { existsSync } = process.getBuiltinModule('node:fs');
  const beside = new URL('./data-plane-worker.js', import.meta.url);
  return existsSync(beside) ? beside : new URL('./serving/data-plane-worker.js', import.meta.url);
}
