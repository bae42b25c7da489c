import { resourceNameOf, type Kind } from '../api/kind.ts';
import type { EventRecord, Plan, Reconciler } from '../api/reconciler.ts';
import { resourceKey, type Resource } from '../api/resource.ts';
import { noActivity, type Activity } from '../activity.ts';
import { realClock, type Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { silentLogger, type Logger } from '../logger.ts';
import { noopMeter, type Meter } from '../telemetry/meter.ts';
import { FactRegistry } from './facts.ts';
import { executePlan } from './plan.ts';
import { factToken, RecordingReader, tokensOf } from './reader.ts';
import type { ResourceStore, ResourceView, WatchEvent } from './resource-store.ts';
import { Tracker } from './tracker.ts';
import { WorkQueue } from './work-queue.ts';

export interface ControllerOptions {
  readonly store: ResourceStore;
  /** What reconcilers read. */
  readonly view: ResourceView;
  readonly reconcilers: readonly Reconciler[];
  readonly facts?: FactRegistry;
  /** Data of a config map by name, the last valid one; the caller wakes readers with `configChanged`. Default: no configuration. */
  readonly config?: (name: string) => Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly meter?: Meter;
  readonly activity?: Activity;
  /** Kubernetes events of the plans. */
  readonly onEvent?: (kind: Kind, resource: Resource, event: EventRecord) => void;
  /** Every object is reconciled again after this long; default 10 h, as upstream. */
  readonly resyncMs?: number;
  /** Asked before each pass of the reconciler of this name: a promise while something else has precedence. Default: nothing has. */
  readonly pause?: (reconciler: string) => Promise<void> | undefined;
  /** Keys of one reconciler handled at the same time; default 1 (the memory store answers at once), a cluster wants more. */
  readonly concurrency?: number;
}

/** Runs reconcilers over a store: watches, wakes keys, carries plans out. */
export interface Controller extends AsyncDisposable {
  /** Begins watching and reconciles everything there is. */
  start(): void;
  /** Wakes whoever read this config map. */
  configChanged(name: string): void;
  /** Passes that are waiting or under way, over all reconcilers. */
  readonly pending: number;
  /** Passes made so far, by reconciler name: how tests see that nothing loops. */
  readonly passes: ReadonlyMap<string, number>;
  /** Stops watching; resolves when running passes are done. */
  close(): Promise<void>;
}

interface Loop {
  readonly reconciler: Reconciler;
  readonly queue: WorkQueue;
}

const keySeparator = '|';
const lastingFailureMs = 1_000;
const turnMs = 0.5;

export function createController(options: ControllerOptions): Controller {
  const clock = options.clock ?? realClock;
  const logger = options.logger ?? silentLogger;
  const activity = options.activity ?? noActivity;
  const facts = options.facts ?? new FactRegistry();
  const config = options.config ?? ((): Readonly<Record<string, string>> => ({}));
  const resyncMs = options.resyncMs ?? 36_000_000;
  const meter = options.meter ?? noopMeter;
  const duration = meter.histogram('kn.workqueue.process.duration', {
    unit: 's',
    description: 'How long one reconcile pass takes',
  });
  const loops = new Map<string, Loop>();
  const passes = new Map<string, number>();
  const subscriptions: Disposable[] = [];
  let active = 0;

  const tracker = new Tracker((token) => {
    if (!token.startsWith('fact ')) return;
    const slash = token.indexOf('/');
    facts.forget(token.slice(5, slash), token.slice(slash + 1));
  });

  function wake(token: string): void {
    for (const tracked of tracker.keysOf(token) ?? []) {
      const separator = tracked.indexOf(keySeparator);
      loops.get(tracked.slice(0, separator))?.queue.add(tracked.slice(separator + 1));
    }
  }

  function onChange(event: WatchEvent): void {
    const key = resourceKey(event.resource.metadata.namespace, event.resource.metadata.name);
    for (const loop of loops.values()) if (loop.reconciler.kind === event.kind) loop.queue.add(key);
    const tokens = new Set(tokensOf(event.kind, event.resource));
    if (event.previous !== undefined) for (const token of tokensOf(event.kind, event.previous)) tokens.add(token);
    for (const token of tokens) wake(token);
  }

  async function pass(reconciler: Reconciler, key: string, queue: WorkQueue): Promise<void> {
    const slash = key.indexOf('/');
    const namespace = slash < 0 ? undefined : key.slice(0, slash);
    const resource = options.view.get(reconciler.kind, namespace, key.slice(slash + 1));
    const trackedKey = reconciler.name + keySeparator + key;
    if (resource === undefined) {
      tracker.track(trackedKey, new Set());
      return;
    }
    const startedMs = clock.monotonic();
    passes.set(reconciler.name, (passes.get(reconciler.name) ?? 0) + 1);
    const world = new RecordingReader(options.view, facts, config);
    const deleting = resource.metadata.deletionTimestamp !== undefined;
    let plan: Plan;
    if (!deleting) plan = reconciler.reconcile(resource, world, clock.now());
    else if (reconciler.finalizer !== undefined && resource.metadata.finalizers?.includes(reconciler.finalizer)) {
      plan = reconciler.finalize?.(resource, world, clock.now()) ?? { writes: [] };
    } else return;
    tracker.track(trackedKey, world.tokens);
    if (world.unsynced.size > 0) return;
    active++;
    try {
      const { stale } = await executePlan(options.store, reconciler.kind, resource, plan);
      if (deleting && plan.error === undefined) await takeFinalizerOff(reconciler, resource);
      else if (!deleting && reconciler.finalizer !== undefined && !resource.metadata.finalizers?.includes(reconciler.finalizer)) {
        await options.store.patch(reconciler.kind, namespace, resource.metadata.name, {
          metadata: { finalizers: [...(resource.metadata.finalizers ?? []), reconciler.finalizer] },
        });
      }
      for (const event of plan.events ?? []) options.onEvent?.(reconciler.kind, resource, event);
      // A lost race is planned anew on what is there now.
      if (stale) queue.addAfter(key, 1);
    } finally {
      active--;
      duration.record((clock.monotonic() - startedMs) / 1000, { 'kn.workqueue.name': reconciler.name });
    }
    if (plan.error !== undefined) throw new Error(plan.error);
    queue.addAfter(key, plan.requeueAfterMs ?? resyncMs);
  }

  async function takeFinalizerOff(reconciler: Reconciler, resource: Resource): Promise<void> {
    const current = options.view.get(reconciler.kind, resource.metadata.namespace, resource.metadata.name);
    if (current === undefined) return;
    const finalizers = (current.metadata.finalizers ?? []).filter((name) => name !== reconciler.finalizer);
    await options.store.update(reconciler.kind, { ...current, metadata: { ...current.metadata, finalizers } });
  }

  // All queues together may hold the process for this long; then requests and timers have their turn.
  let turnStartedMs = clock.monotonic();
  let turn: Promise<void> | undefined;
  function yieldTurn(): Promise<void> | undefined {
    if (turn !== undefined || clock.monotonic() - turnStartedMs < turnMs) return turn;
    turn = activity.track(
      new Promise<void>((resolve) =>
        setImmediate(() => {
          turn = undefined;
          turnStartedMs = clock.monotonic();
          resolve();
        }),
      ),
    );
    return turn;
  }

  const { pause } = options;
  for (const reconciler of options.reconcilers) {
    const queue = new WorkQueue({
      clock,
      concurrency: options.concurrency ?? 1,
      process: (key) => pass(reconciler, key, queue),
      ...(pause === undefined ? {} : { pause: () => pause(reconciler.name) }),
      yieldTurn,
      onError(key, error, retryAfterMs) {
        const fields = { reconciler: reconciler.name, key, error: messageOf(error), retryAfterMs };
        // The first failures are mostly things that are just coming into being; only what lasts is worth a warning.
        if (retryAfterMs < lastingFailureMs) logger.debug(fields, 'reconcile failed, will retry');
        else logger.warn(fields, 'reconcile keeps failing, will retry');
      },
    });
    loops.set(reconciler.name, { reconciler, queue });
  }

  const controller: Controller = {
    start() {
      subscriptions.push(options.store.watch({}, onChange));
      subscriptions.push(facts.onChanged((provider, key) => wake(factToken(provider, key))));
      for (const { reconciler, queue } of loops.values()) {
        for (const { metadata } of options.view.list(reconciler.kind)) queue.add(resourceKey(metadata.namespace, metadata.name));
      }
    },
    configChanged: (name) => wake(`config ${name}`),
    get pending() {
      let depth = active;
      for (const { queue } of loops.values()) depth += queue.depth;
      return depth;
    },
    passes,
    async close() {
      for (const subscription of subscriptions.splice(0)) subscription[Symbol.dispose]();
      await Promise.all([...loops.values()].map(({ queue }) => queue.close()));
      logger.debug({ kinds: options.reconcilers.map(({ kind }) => resourceNameOf(kind)) }, 'controller stopped');
    },
    [Symbol.asyncDispose]: () => controller.close(),
  };
  return controller;
}
