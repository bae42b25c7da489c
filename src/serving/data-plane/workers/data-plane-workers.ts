import { realClock, type Clock } from '../../../clock.ts';
import { KnativeError } from '../../../errors.ts';
import type { TlsCertificate } from '../../../http/index.ts';
import { silentLogger, type Logger } from '../../../logger.ts';
import type { RemoteSpans } from '../../../telemetry/index.ts';
import { noopMeter, type Meter } from '../../../telemetry/meter.ts';
import type { RoutableIngress } from '../../router-compile.ts';
import type { RequestReport } from '../../request-stats.ts';
import type { InstanceLoad } from '../activator.ts';
import type { RevisionKey, RevisionSettings } from '../revision.ts';
import { MeterSum } from './measurements.ts';
import type { AddressedInstance, WorkerCommand, WorkerDone, WorkerEvent } from './messages.ts';
import { RevisionShares } from './revision-shares.ts';
import { within } from './within.ts';
import { WorkerGroup } from './worker-group.ts';
import type { WorkerProcess } from './worker-process.ts';
import { WorkerReports } from './worker-reports.ts';

export interface DataPlaneWorkersOptions {
  /** Processes; at least 1. */
  readonly workers: number;
  /** `public`: cluster-local hosts do not exist here. Default `local`. */
  readonly listener?: 'public' | 'local';
  /** `host:port` of a server that answers hosts which no route has, the owner's own; default: they are answered 404. */
  readonly fallback?: string;
  /** Called when a request finds no instance of a revision in some worker. */
  readonly onColdStart?: (revision: RevisionKey) => void;
  /** Called when such a request is answered. */
  readonly onColdStartEnd?: (revision: RevisionKey) => void;
  /** Called when the cold-start budget of a request has run out in some worker. */
  readonly onColdStartTimeout?: (revision: RevisionKey, waitedMs: number) => void;
  /** The certificate for a server name, asked at each handshake of any worker. */
  readonly certificateFor?: (serverName: string) => TlsCertificate | undefined;
  /** Gets what all workers measure, added up, with each `reports()`. Default: nothing is measured. */
  readonly meter?: Meter;
  /** Gets the spans of workers, a few milliseconds after their end; `Tracer.remote`. Default: there are none. */
  readonly spans?: RemoteSpans;
  /** Gets the lines of request logs; see `setObservability`. */
  readonly onRequestLog?: (line: string) => void;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** The program of a worker; default: the one that comes with the package. */
  readonly entry?: URL;
}

export interface DataPlaneListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: the system chooses, the same for all. */
  readonly port?: number;
  /** A second port for HTTPS, by `certificateFor`. */
  readonly tls?: {
    /** Default 0: the system chooses. */
    readonly port?: number;
    /** For clients that send no server name; default: they are refused. */
    readonly unnamed?: TlsCertificate;
  };
}

export interface DataPlaneAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly tlsPort?: number;
}

/**
 * The gateway in several processes that share a port (SO_REUSEPORT: Linux), told what to do like a router and an activator
 * in one.
 */
export interface DataPlaneWorkers extends AsyncDisposable {
  /** Starts the workers without a port of their own; `listen` does it too. Throws SERVING_WORKER_FAILED. */
  start(): Promise<void>;
  /** Opens the ports in all workers, or in none; resolves when all of them listen. Throws HTTP_ADDRESS_IN_USE, also when the port is shared by others. */
  listen(options?: DataPlaneListenOptions): Promise<DataPlaneAddress>;
  setIngress(ingress: RoutableIngress): void;
  /** Removes the Ingress `namespace/name`. */
  deleteIngress(key: string): void;
  /** The ready instances of a revision. Its hard limit holds over all workers together. Resolves when all workers know. */
  setInstances(revision: RevisionKey, instances: readonly AddressedInstance[], settings?: RevisionSettings): Promise<void>;
  /** The revision's instances live in the process that listens at `address` (`passedRequests`): requests go there. */
  setOwner(revision: RevisionKey, address: string, settings?: RevisionSettings): Promise<void>;
  deleteRevision(revision: RevisionKey): void;
  /** Gives the instance no more requests, in any worker; resolves when it has none left. */
  drain(revision: RevisionKey, instance: string): Promise<void>;
  /** Data of `config-observability`, which sets the request log. */
  setObservability(data: Readonly<Record<string, string>>): void;
  /** Internal addresses of the running workers, another one first each time. */
  addresses(): readonly string[];
  /** Statistics of all workers together since the last reports. A worker that takes longer than a second is left for the next ones. */
  reports(): Promise<ReadonlyMap<RevisionKey, RequestReport>>;
  /** Requests in the instances of a revision as of the last `reports()`, all workers together. */
  load(revision: RevisionKey): readonly InstanceLoad[];
  /** A meter for the owner's own share of the requests, whose gauges are added to the workers'. */
  readonly ownMeter: Meter;
  /** Closes the ports; running requests finish within `graceMs`. Workers still take what others pass on. */
  unlisten(graceMs?: number): Promise<void>;
  /** Running requests finish within `graceMs` (default 10 s). */
  close(graceMs?: number): Promise<void>;
}

export function createDataPlaneWorkers(options: DataPlaneWorkersOptions): DataPlaneWorkers {
  return new WorkerPool(options);
}

class WorkerPool implements DataPlaneWorkers {
  readonly ownMeter: Meter;
  readonly #options: DataPlaneWorkersOptions;
  readonly #clock: Clock;
  readonly #measured: MeterSum;
  readonly #group: WorkerGroup;
  readonly #ingresses = new Map<string, RoutableIngress>();
  readonly #revisions = new Map<RevisionKey, RevisionShares>();
  readonly #reports = new WorkerReports();
  readonly #asked = new Set<WorkerProcess>();
  #observability: Readonly<Record<string, string>> = {};
  #turn = 0;

  constructor(options: DataPlaneWorkersOptions) {
    if (!Number.isInteger(options.workers) || options.workers < 1) {
      throw new KnativeError('SERVING_OPTION_INVALID', `workers must be at least 1, got ${options.workers}`, { path: 'workers' });
    }
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#measured = new MeterSum(options.meter ?? noopMeter);
    this.ownMeter = this.#measured.source('owner');
    this.#group = new WorkerGroup({
      workers: options.workers,
      entry: options.entry ?? workerEntry(),
      clock: this.#clock,
      logger: options.logger ?? silentLogger,
      start: () => this.#startCommand(),
      onEvent: (worker, event) => this.#received(worker, event),
      onReady: (worker) => this.#ready(worker),
      onLost: (worker) => this.#lost(worker),
    });
  }

  start(): Promise<void> {
    return this.#group.start();
  }

  async listen({ host = '127.0.0.1', port = 0, tls }: DataPlaneListenOptions = {}): Promise<DataPlaneAddress> {
    const opened = await this.#group.listen({ host, port, ...(tls === undefined ? {} : { tls: { port: 0, ...tls } }) });
    const url = `http://${host}:${opened.port}`;
    return { host, port: opened.port, url, ...(opened.tls === undefined ? {} : { tlsPort: opened.tls.port }) };
  }

  setIngress(ingress: RoutableIngress): void {
    const { namespace = '', name } = ingress.metadata;
    this.#ingresses.set(namespace === '' ? name : `${namespace}/${name}`, ingress);
    this.#group.send({ type: 'ingress', ingress });
  }

  deleteIngress(key: string): void {
    this.#ingresses.delete(key);
    this.#group.send({ type: 'delete-ingress', key });
  }

  setInstances(revision: RevisionKey, instances: readonly AddressedInstance[], settings: RevisionSettings = {}): Promise<void> {
    return this.#sharesOf(revision).set(instances, settings);
  }

  setOwner(revision: RevisionKey, address: string, settings: RevisionSettings = {}): Promise<void> {
    return this.#sharesOf(revision).set([], settings, address);
  }

  deleteRevision(revision: RevisionKey): void {
    this.#revisions.delete(revision);
    this.#group.send({ type: 'delete-revision', revision });
  }

  async drain(revision: RevisionKey, instance: string): Promise<void> {
    await this.#revisions.get(revision)?.drain(instance);
  }

  setObservability(data: Readonly<Record<string, string>>): void {
    this.#observability = data;
    this.#group.send({ type: 'observability', data });
  }

  addresses(): readonly string[] {
    const running = this.#group.living().map(({ internalAddress }) => internalAddress);
    const first = this.#turn++ % Math.max(1, running.length);
    return [...running.slice(first), ...running.slice(0, first)];
  }

  async reports(): Promise<ReadonlyMap<RevisionKey, RequestReport>> {
    const answers = this.#group.living().map((worker) => this.#askReport(worker));
    await within(this.#clock, reportWaitMs, Promise.all(answers));
    return this.#reports.read();
  }

  load(revision: RevisionKey): readonly InstanceLoad[] {
    const shares = this.#revisions.get(revision);
    return this.#reports.load(revision).map((load) => ({ ...load, draining: shares?.isDraining(load.id) === true }));
  }

  unlisten(graceMs = 10_000): Promise<void> {
    return this.#group.unlisten(graceMs);
  }

  async close(graceMs = 10_000): Promise<void> {
    await this.#group.unlisten(graceMs);
    // What has been measured since the last time.
    if (this.#options.meter !== undefined) await this.reports();
    await this.#group.close(graceMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #sharesOf(revision: RevisionKey): RevisionShares {
    let shares = this.#revisions.get(revision);
    if (shares === undefined) {
      shares = new RevisionShares({
        living: () => this.#group.living().map(({ index }) => index),
        give: async (worker, share, settings) => void (await this.#ask(worker, { type: 'share', revision, settings, share })),
        release: async (worker, instance) => void (await this.#ask(worker, { type: 'release', revision, instance })),
        addressOf: (worker) => this.#group.get(worker)?.internalAddress ?? '',
      });
      this.#revisions.set(revision, shares);
    }
    return shares;
  }

  #ask(worker: number, question: Parameters<WorkerProcess['ask']>[0]): Promise<WorkerDone | undefined> {
    return this.#group.get(worker)?.ask(question) ?? Promise.resolve(undefined);
  }

  async #askReport(worker: WorkerProcess): Promise<void> {
    // One that is late answers all that was asked meanwhile.
    if (this.#asked.has(worker)) return;
    this.#asked.add(worker);
    const { report } = (await worker.ask({ type: 'report' })) ?? {};
    this.#asked.delete(worker);
    if (report === undefined) return;
    this.#reports.take(worker.index, report);
    this.#measured.replay(sourceOf(worker), report.measurements);
  }

  #startCommand(): Omit<Extract<WorkerCommand, { type: 'start' }>, 'id'> {
    const { listener = 'local', fallback, meter, spans } = this.#options;
    return {
      type: 'start',
      listener,
      observability: this.#observability,
      measured: meter !== undefined,
      ...(spans === undefined ? {} : { sampler: spans.sampler }),
      ...(fallback === undefined ? {} : { fallback }),
    };
  }

  /** Tells a new worker everything. */
  #ready(worker: WorkerProcess): void {
    worker.send({ type: 'observability', data: this.#observability });
    for (const ingress of this.#ingresses.values()) worker.send({ type: 'ingress', ingress });
    for (const shares of this.#revisions.values()) shares.joined();
  }

  #lost(worker: WorkerProcess): void {
    this.#reports.forget(worker.index);
    this.#measured.forget(sourceOf(worker));
    for (const shares of this.#revisions.values()) shares.lost(worker.index);
  }

  #received(worker: WorkerProcess, event: Exclude<WorkerEvent, WorkerDone>): void {
    const options = this.#options;
    switch (event.type) {
      case 'cold-start':
        options.onColdStart?.(event.revision);
        break;
      case 'cold-start-end':
        options.onColdStartEnd?.(event.revision);
        break;
      case 'cold-start-timeout':
        options.onColdStartTimeout?.(event.revision, event.waitedMs);
        break;
      case 'log':
        for (const line of event.lines) options.onRequestLog?.(line);
        break;
      case 'spans':
        for (const span of event.spans) options.spans?.take(span);
        break;
      case 'certificate':
        worker.send({ type: 'certificate', id: event.id, certificate: options.certificateFor?.(event.serverName) });
    }
  }
}

const reportWaitMs = 1_000;

const sourceOf = ({ index }: WorkerProcess): string => `worker ${index}`;

/** The worker's program beside this file, wherever the bundler has put this one. */
function workerEntry(): URL {
  if (import.meta.url.endsWith('.ts')) return new URL('../../data-plane-worker.ts', import.meta.url);
  const { existsSync } = process.getBuiltinModule('node:fs');
  const beside = new URL('./data-plane-worker.js', import.meta.url);
  return existsSync(beside) ? beside : new URL('./serving/data-plane-worker.js', import.meta.url);
}
