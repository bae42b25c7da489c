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
import type { AddressedInstance, WorkerCommand, WorkerDone, WorkerEvent } from './messages.ts';
import { RevisionShares } from './revision-shares.ts';
import { within } from './within.ts';
import { WorkerGroup } from './worker-group.ts';
import type { WorkerProcess } from './worker-process.ts';
import { WorkerReports } from './worker-reports.ts';
import type { DataPlaneAddress, DataPlaneListenOptions, DataPlaneWorkers, DataPlaneWorkersOptions } from './workers-types.ts';

/** Starts nothing yet: see `start` and `listen`. Throws SERVING_OPTION_INVALID. */
export function createDataPlaneWorkers(options: DataPlaneWorkersOptions): DataPlaneWorkers {
  return new WorkerPool(options);
}

class WorkerPool implements DataPlaneWorkers {
  readonly ownMeter: Meter;
  readonly #options: DataPlaneWorkersOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
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
    this.#logger = options.logger ?? silentLogger;
    this.#measured = new MeterSum(options.meter ?? noopMeter);
    this.ownMeter = this.#measured.source('owner');
    this.#group = new WorkerGroup({
      workers: options.workers,
      entry: options.entry ?? workerEntry(),
      clock: this.#clock,
      logger: this.#logger,
      start: () => this.#startCommand(),
      onEvent: (worker, event) => this.#receivedSafely(worker, event),
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
      case 'diagnostic':
        this.#logger[event.level]({ ...event.fields, worker: worker.index }, event.message);
        break;
      case 'spans':
        for (const span of event.spans) options.spans?.take(span);
        break;
      case 'certificate':
        worker.send({ type: 'certificate', id: event.id, certificate: this.#certificateFor(event.serverName) });
    }
  }

  /** What the owner does with it must not end the owner. */
  #receivedSafely(worker: WorkerProcess, event: Exclude<WorkerEvent, WorkerDone>): void {
    try {
      this.#received(worker, event);
    } catch (error) {
      this.#logger.error(
        { event: event.type, error: messageOf(error) },
        'the owner of a data plane failed at an event of a worker',
      );
    }
  }

  /** A name whose certificate cannot be had is refused, as one without. */
  #certificateFor(serverName: string): TlsCertificate | undefined {
    try {
      const certificate = this.#options.certificateFor?.(serverName);
      return certificate === undefined ? undefined : { cert: certificate.cert, key: certificate.key };
    } catch (error) {
      this.#logger.error({ serverName, error: messageOf(error) }, 'no certificate');
      return undefined;
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
