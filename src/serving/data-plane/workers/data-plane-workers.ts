import { realClock, type Clock } from '../../../clock.ts';
import { KnativeError, messageOf } from '../../../errors.ts';
import type { TlsCertificate } from '../../../http/index.ts';
import { silentLogger, type Logger } from '../../../logger.ts';
import { noopMeter, type Meter } from '../../../telemetry/meter.ts';
import type { RoutableIngress } from '../../router-compile.ts';
import type { RequestReport } from '../../request-stats.ts';
import type { InstanceLoad } from '../activator.ts';
import type { RevisionKey, RevisionSettings } from '../revision.ts';
import { MeterSum } from './measurements.ts';
import type { AddressedInstance, WorkerDone, WorkerEvent, WorkerPorts } from './messages.ts';
import { RevisionShares } from './revision-shares.ts';
import { WorkerProcess } from './worker-process.ts';

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
  /** Starts the workers without a port of their own; `listen` does it too. */
  start(): Promise<void>;
  /** Opens the ports in all workers; resolves when all of them listen. Throws HTTP_LISTEN_FAILED. */
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
  /** Statistics of all workers together since the last reports. */
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
  readonly #logger: Logger;
  readonly #measured: MeterSum;
  readonly #ingresses = new Map<string, RoutableIngress>();
  readonly #revisions = new Map<RevisionKey, RevisionShares>();
  #loads = new Map<RevisionKey, Map<string, number>>();
  #observability: Readonly<Record<string, string>> = {};
  #workers: WorkerProcess[] = [];
  #ports: WorkerPorts | undefined;
  #turn = 0;
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: DataPlaneWorkersOptions) {
    if (!Number.isInteger(options.workers) || options.workers < 1) {
      throw new KnativeError('SERVING_OPTION_INVALID', `workers must be at least 1, got ${options.workers}`, { path: 'workers' });
    }
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#logger = options.logger ?? silentLogger;
    this.#measured = new MeterSum(options.meter ?? noopMeter);
    this.ownMeter = this.#measured.source('owner');
  }

  start(): Promise<void> {
    this.#starting ??= (async () => {
      const indices = Array.from({ length: this.#options.workers }, (_, index) => index);
      this.#workers = await Promise.all(indices.map((index) => this.#start(index)));
    })();
    return this.#starting;
  }

  async listen({ host = '127.0.0.1', port = 0, tls }: DataPlaneListenOptions = {}): Promise<DataPlaneAddress> {
    await this.start();
    let ports: WorkerPorts = { host, port, ...(tls === undefined ? {} : { tls: { port: 0, ...tls } }) };
    // One after the other: the first one's ports are everybody's.
    for (const worker of this.#workers) {
      const { ports: opened } = await worker.order({ type: 'listen', ports });
      if (opened === undefined) continue;
      ports = { host, port: opened.port, ...(ports.tls === undefined ? {} : { tls: { ...ports.tls, port: opened.tls ?? 0 } }) };
    }
    this.#ports = ports;
    const url = `http://${host}:${ports.port}`;
    return { host, port: ports.port, url, ...(ports.tls === undefined ? {} : { tlsPort: ports.tls.port }) };
  }

  setIngress(ingress: RoutableIngress): void {
    const { namespace = '', name } = ingress.metadata;
    this.#ingresses.set(namespace === '' ? name : `${namespace}/${name}`, ingress);
    for (const worker of this.#workers) worker.send({ type: 'ingress', ingress });
  }

  deleteIngress(key: string): void {
    this.#ingresses.delete(key);
    for (const worker of this.#workers) worker.send({ type: 'delete-ingress', key });
  }

  setInstances(revision: RevisionKey, instances: readonly AddressedInstance[], settings: RevisionSettings = {}): Promise<void> {
    return this.#sharesOf(revision).set(instances, settings);
  }

  setOwner(revision: RevisionKey, address: string, settings: RevisionSettings = {}): Promise<void> {
    return this.#sharesOf(revision).set([], settings, address);
  }

  deleteRevision(revision: RevisionKey): void {
    this.#revisions.delete(revision);
    this.#loads.delete(revision);
    for (const worker of this.#workers) worker.send({ type: 'delete-revision', revision });
  }

  async drain(revision: RevisionKey, instance: string): Promise<void> {
    await this.#revisions.get(revision)?.drain(instance);
  }

  setObservability(data: Readonly<Record<string, string>>): void {
    this.#observability = data;
    for (const worker of this.#workers) worker.send({ type: 'observability', data });
  }

  addresses(): readonly string[] {
    const running = this.#workers.filter(({ isAlive }) => isAlive).map(({ internalAddress }) => internalAddress);
    const first = this.#turn++ % Math.max(1, running.length);
    return [...running.slice(first), ...running.slice(0, first)];
  }

  async reports(): Promise<ReadonlyMap<RevisionKey, RequestReport>> {
    const answers = await Promise.all(this.#workers.map((worker) => worker.ask({ type: 'report' })));
    const sums = new Map<RevisionKey, RequestReport>();
    const loads = new Map<RevisionKey, Map<string, number>>();
    answers.forEach((answer, index) => {
      if (answer?.report === undefined) return;
      const { revisions, loads: counts, measurements } = answer.report;
      for (const [revision, report] of revisions) sums.set(revision, add(sums.get(revision), report));
      for (const [revision, instances] of counts) {
        let load = loads.get(revision);
        if (load === undefined) loads.set(revision, (load = new Map()));
        for (const [instance, inFlight] of instances) load.set(instance, (load.get(instance) ?? 0) + inFlight);
      }
      this.#measured.replay(sourceOf(index), measurements);
    });
    this.#loads = loads;
    return sums;
  }

  load(revision: RevisionKey): readonly InstanceLoad[] {
    const counts = [...(this.#loads.get(revision) ?? [])];
    return counts.map(([id, inFlight]) => ({ id, inFlight, draining: this.#revisions.get(revision)?.isDraining(id) === true }));
  }

  async unlisten(graceMs = 10_000): Promise<void> {
    this.#ports = undefined;
    await Promise.all(this.#workers.map((worker) => worker.ask({ type: 'unlisten', graceMs })));
  }

  close(graceMs = 10_000): Promise<void> {
    this.#closing ??= (async () => {
      await this.#starting?.catch(() => undefined);
      await Promise.all(this.#workers.map((worker) => worker.close(graceMs)));
    })();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #sharesOf(revision: RevisionKey): RevisionShares {
    let shares = this.#revisions.get(revision);
    if (shares === undefined) {
      shares = new RevisionShares(this.#options.workers, {
        give: async (worker, share, settings) => void (await this.#ask(worker, { type: 'share', revision, settings, share })),
        release: async (worker, instance) => void (await this.#ask(worker, { type: 'release', revision, instance })),
        addressOf: (worker) => this.#workers[worker]?.internalAddress ?? '',
      });
      this.#revisions.set(revision, shares);
    }
    return shares;
  }

  #ask(worker: number, question: Parameters<WorkerProcess['ask']>[0]): Promise<WorkerDone | undefined> {
    return this.#workers[worker]?.ask(question) ?? Promise.resolve(undefined);
  }

  async #start(index: number): Promise<WorkerProcess> {
    const { listener = 'local', fallback, meter } = this.#options;
    const worker = new WorkerProcess({
      index,
      entry: this.#options.entry ?? workerEntry(),
      clock: this.#clock,
      onEvent: (event) => this.#received(worker, event),
      onExit: (code) => this.#gone(worker, code),
    });
    const { internalPort = 0 } = await worker.order({
      type: 'start',
      listener,
      observability: this.#observability,
      measured: meter !== undefined,
      ...(fallback === undefined ? {} : { fallback }),
    });
    worker.internalAddress = `127.0.0.1:${internalPort}`;
    for (const ingress of this.#ingresses.values()) worker.send({ type: 'ingress', ingress });
    return worker;
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
      case 'certificate':
        worker.send({ type: 'certificate', id: event.id, certificate: options.certificateFor?.(event.serverName) });
    }
  }

  /** A worker that ends unasked is started again, with everything that it knew. */
  #gone(worker: WorkerProcess, code: number | null): void {
    const { index } = worker;
    this.#measured.forget(sourceOf(index));
    if (this.#closing !== undefined || this.#workers[index] !== worker) return;
    this.#logger.error({ worker: index, code }, 'data-plane worker ended; starting another one');
    void this.#replace(index);
  }

  async #replace(index: number): Promise<void> {
    try {
      await this.#startAgain(index);
    } catch (error) {
      this.#logger.error({ worker: index, error: messageOf(error) }, 'data-plane worker did not start; trying again');
      this.#clock.setTimer(restartMs, () => {
        if (this.#closing === undefined) void this.#replace(index);
      });
    }
  }

  async #startAgain(index: number): Promise<void> {
    const next = await this.#start(index);
    if (this.#closing !== undefined) {
      await next.close(0);
      return;
    }
    this.#workers[index] = next;
    for (const shares of this.#revisions.values()) shares.renew();
    if (this.#ports !== undefined) await next.order({ type: 'listen', ports: this.#ports });
  }
}

/** Wait between tries to replace a worker. */
const restartMs = 1_000;

const sourceOf = (index: number): string => `worker ${index}`;

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
