import { realClock, type Clock } from '../../clock.ts';
import { KnativeError } from '../../errors.ts';
import type { Exchange } from '../../http/index.ts';
import { silentLogger, type Logger } from '../../logger.ts';
import { systemRandom, type Random } from '../../random.ts';
import { noopMeter, type Meter } from '../../telemetry/meter.ts';
import { createForwarder, type Forwarder } from './forwarder.ts';
import { RevisionQueue, type ActivatorContext } from './revision-queue.ts';
import type { RequestLog } from './request-log.ts';
import type { RequestReport } from '../request-stats.ts';
import type { Instance, RevisionKey, RevisionSettings } from './revision.ts';

export interface ActivatorOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly meter?: Meter;
  /** Sends requests to instances that have an address; default: pooled HTTP/1.1 and h2c connections. */
  readonly forwarder?: Forwarder;
  /** Called when a request finds no instance at all, once until one is there: scale from zero now. */
  readonly onColdStart?: (revision: RevisionKey) => void;
  /** Called when a request that found no instance is answered, with its head; not when its client leaves before. */
  readonly onColdStartEnd?: (revision: RevisionKey) => void;
  /** Called when the cold-start budget of a request has run out. */
  readonly onColdStartTimeout?: (revision: RevisionKey, waitedMs: number) => void;
  /** The log for a revision's requests; asked once for each revision. Default: none. */
  readonly requestLog?: (revision: RevisionKey, settings: RevisionSettings) => RequestLog | undefined;
  /** Text of the answer when a time limit is hit; default upstream's `activator request timeout`. */
  readonly timeoutText?: string;
}

/** Options of one request. */
export interface ActivateOptions {
  /** Request headers for the instance; default: those of the exchange. */
  readonly rawHeaders?: readonly string[];
  readonly host?: string;
  readonly target?: string;
  /** Uses the address of the picked instance as the host, as upstream's activator does. */
  readonly hostFromInstance?: boolean;
  /** Another activator has counted the request already; the statistics say so, and its duration and log are that one's. */
  readonly proxied?: boolean;
}

/** Load of one instance. */
export interface InstanceLoad {
  readonly id: string;
  readonly inFlight: number;
  readonly draining: boolean;
}

/**
 * Holds the requests of revisions while they have no capacity, hands them to instances as they become ready, never more at once
 * than containerConcurrency allows, and counts what the autoscaler wants to know.
 */
export interface Activator extends AsyncDisposable {
  /** Adds a revision or changes its settings; running requests keep theirs. */
  setRevision(revision: RevisionKey, settings: RevisionSettings): void;
  /** The ready instances of a revision, all of them; with settings also those. Waiting requests go out at once. */
  setInstances(revision: RevisionKey, instances: readonly Instance[], settings?: RevisionSettings): void;
  /** Forgets a revision: what waits is answered 404, what runs ends by itself. */
  deleteRevision(revision: RevisionKey): void;
  has(revision: RevisionKey): boolean;
  /** Answers the exchange by an instance of the revision; 404 when the revision is unknown. */
  handle(revision: RevisionKey, exchange: Exchange, options?: ActivateOptions): void;
  /** Instances and their load in the order in which a scale-down should take them: by fewest requests, of equals the newest first. */
  load(revision: RevisionKey): readonly InstanceLoad[];
  /** Gives the instance no more requests; resolves when it has none left (at once for an unknown one). */
  drain(revision: RevisionKey, instance: string): Promise<void>;
  /** Counts work in an instance that goes on after a response (`waitUntil`) until the returned function is called. */
  hold(revision: RevisionKey, instance: string): () => void;
  /** Requests under way and waiting. */
  count(revision: RevisionKey): { readonly waiting: number; readonly active: number };
  /** Statistics of a revision since the last report. */
  report(revision: RevisionKey): RequestReport | undefined;
  /** Statistics of all revisions that had requests since the last report or have some now. */
  reports(): Iterable<readonly [RevisionKey, RequestReport]>;
  /** Closes pooled connections. Waiting requests are answered 503. */
  close(): Promise<void>;
}

export function createActivator(options: ActivatorOptions = {}): Activator {
  const clock = options.clock ?? realClock;
  const ownForwarder = options.forwarder === undefined;
  const context: ActivatorContext = {
    clock,
    random: options.random ?? systemRandom,
    logger: options.logger ?? silentLogger,
    meter: options.meter ?? noopMeter,
    forwarder: options.forwarder ?? createForwarder({ clock }),
    timeoutText: options.timeoutText ?? 'activator request timeout',
    requestLog: options.requestLog ?? (() => undefined),
    onColdStart: options.onColdStart ?? (() => undefined),
    onColdStartEnd: options.onColdStartEnd ?? (() => undefined),
    onColdStartTimeout: options.onColdStartTimeout ?? (() => undefined),
  };
  const revisions = new Map<RevisionKey, RevisionQueue>();

  function queueOf(revision: RevisionKey): RevisionQueue {
    const queue = revisions.get(revision);
    if (queue === undefined)
      throw new KnativeError('SERVING_REVISION_UNKNOWN', `no revision ${revision}: call setRevision first`);
    return queue;
  }

  async function close(): Promise<void> {
    for (const queue of revisions.values()) queue.close(503, 'shutting down');
    revisions.clear();
    if (ownForwarder) await context.forwarder.close();
  }

  return {
    setRevision(revision, settings) {
      const queue = revisions.get(revision);
      if (queue === undefined) revisions.set(revision, new RevisionQueue(revision, settings, context));
      else queue.configure(settings);
    },
    setInstances(revision, instances, settings) {
      let queue = revisions.get(revision);
      if (queue === undefined) {
        queue = new RevisionQueue(revision, settings ?? {}, context);
        revisions.set(revision, queue);
        queue.setInstances(instances);
      } else if (settings === undefined) queue.setInstances(instances);
      else queue.configure(settings, instances);
    },
    deleteRevision(revision) {
      const queue = revisions.get(revision);
      revisions.delete(revision);
      queue?.close(404, notFoundText(revision));
    },
    has: (revision) => revisions.has(revision),
    handle(revision, exchange, request) {
      const queue = revisions.get(revision);
      if (queue === undefined) respondNotFound(exchange, revision);
      else queue.handle(exchange, request);
    },
    load: (revision) => queueOf(revision).load(),
    drain: (revision, instance) => revisions.get(revision)?.drain(instance) ?? Promise.resolve(),
    hold: (revision, instance) => queueOf(revision).hold(instance),
    count(revision) {
      const queue = queueOf(revision);
      return { waiting: queue.waiting, active: queue.active };
    },
    report: (revision) => revisions.get(revision)?.report(clock.monotonic()),
    *reports() {
      const nowMs = clock.monotonic();
      for (const [revision, queue] of revisions) {
        const report = queue.report(nowMs);
        if (report.requestCount > 0 || report.averageConcurrentRequests > 0 || queue.stats.concurrency > 0)
          yield [revision, report];
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Upstream's text for a revision that does not exist. */
export function notFoundText(revision: RevisionKey): string {
  const name = revision.slice(revision.indexOf('/') + 1);
  return `Error getting active endpoint: revision.serving.knative.dev ${JSON.stringify(name)} not found`;
}

function respondNotFound(exchange: Exchange, revision: RevisionKey): void {
  exchange.respond(
    404,
    ['content-type', 'text/plain; charset=utf-8', 'x-content-type-options', 'nosniff'],
    `${notFoundText(revision)}\n`,
  );
}
