import { podAutoscalers } from '../api/autoscaling/pod-autoscaler.ts';
import { pods } from '../api/core/pod.ts';
import {
  activatorProbeProvider,
  countPods,
  createMultiScaler,
  deciderProvider,
  type Decision,
  type DeciderFactParams,
  type DeciderStatus,
  type MultiScaler,
  type Policy,
} from '../autoscaler/index.ts';
import type { Clock } from '../clock.ts';
import type { FactRegistry } from '../controller/facts.ts';
import type { MemoryStore } from '../controller/memory-store.ts';
import type { Logger } from '../logger.ts';
import type { Attributes, Meter } from '../telemetry/meter.ts';
import { AutoscalerMetrics } from './autoscaler-metrics.ts';
import { revisions } from '../api/serving/revision.ts';
import type { Activator } from '../serving/index.ts';
import { revisionLabel } from './serving-edge.ts';
import { isReady } from './stand-ins/pod-state.ts';

/** Period of the reports that the autoscaler gets, as queue-proxies and activators send them upstream. */
const reportPeriodMs = 1_000;

export interface AutoscalingEdgeOptions {
  readonly store: MemoryStore;
  readonly facts: FactRegistry;
  readonly activator: Activator;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Policy of a revision (`namespace/name`); `undefined` or left out: the KPA. */
  readonly policyFor?: (key: string) => Policy | undefined;
  /** Awaited before the activator's statistics are read: fetches those of other processes. */
  readonly collect?: () => Promise<void>;
  /** Gets the autoscaler's gauges; default: none are kept. */
  readonly meter?: Meter;
  /** Called when a decider wants another number of instances than before. */
  readonly onScale?: (key: string, from: number, to: number, why: string) => void;
}

/** Feeds the multi-scaler with the activator's statistics and answers the facts that the PodAutoscaler reconciler asks for. */
export interface AutoscalingEdge extends AsyncDisposable {
  readonly multiScaler: MultiScaler;
  start(): void;
  /** A request found no instance at all: decide now instead of at the next tick. */
  coldStart(key: string): void;
}

export function createAutoscalingEdge(options: AutoscalingEdgeOptions): AutoscalingEdge {
  const { store, facts, activator, clock } = options;
  const wanted = new Map<string, number>();
  let deciderChanged: (key: string) => void = () => undefined;
  let timer: Disposable | undefined;

  const readyPods = (key: string): number => {
    const [namespace, name] = parted(key);
    return store.view.list(pods, { namespace, labels: { [revisionLabel]: name } }).filter(isReady).length;
  };

  const multiScaler = createMultiScaler({
    clock,
    logger: options.logger,
    readyPods,
    ...(options.policyFor === undefined ? {} : { policyFor: options.policyFor }),
    onChange: (key) => deciderChanged(key),
    onDecision(key, decision) {
      if (decision.valid) measure(key, decision);
      tell(key, decision);
    },
  });

  const metrics = options.meter === undefined ? undefined : new AutoscalerMetrics(options.meter);
  function measure(key: string, decision: Decision): void {
    metrics?.record(
      multiScaler.get(key)?.spec.scalingMetric ?? '',
      attributesOf(...parted(key)),
      decision,
      multiScaler.explain(key),
    );
  }

  function measurePods(key: string): void {
    const [namespace, name] = parted(key);
    const requested = store.view.get(podAutoscalers, namespace, name)?.status?.desiredScale;
    metrics?.pods(attributesOf(namespace, name), requested, countPods(store.view, namespace, name));
  }

  function attributesOf(namespace: string, name: string): Attributes {
    const labels = store.view.get(revisions, namespace, name)?.metadata.labels ?? {};
    return {
      'k8s.namespace.name': namespace,
      'kn.revision.name': name,
      'kn.service.name': labels['serving.knative.dev/service'] ?? '',
      'kn.configuration.name': labels['serving.knative.dev/configuration'] ?? '',
    };
  }

  function tell(key: string, { valid, desired }: Decision): void {
    const before = wanted.get(key) ?? 0;
    if (!valid || desired === before) return;
    wanted.set(key, desired);
    options.onScale?.(key, before, desired, multiScaler.explain(key)?.sentence ?? '');
  }

  facts.provide<DeciderStatus, DeciderFactParams>(deciderProvider, (changed) => {
    deciderChanged = changed;
    return {
      read: (key, { spec }) => multiScaler.ensure(key, spec),
      forget(key) {
        multiScaler.delete(key);
        wanted.delete(key);
      },
    };
  });
  // Every request of this process goes through its activator, so the path to it always stands.
  facts.provide<boolean, unknown>(activatorProbeProvider, () => ({ read: () => true }));

  function report(): void {
    timer = clock.setTimer(reportPeriodMs, report);
    if (options.collect === undefined) record();
    else void options.collect().then(record);
  }

  function record(): void {
    for (const key of multiScaler.keys()) {
      if (metrics !== undefined) measurePods(key);
      const stat = activator.has(key) ? activator.report(key) : undefined;
      // A revision without instances and requests reports nothing, as there is nobody to do it.
      if (stat === undefined || (stat.requestCount === 0 && stat.averageConcurrentRequests === 0 && readyPods(key) === 0))
        continue;
      multiScaler.record(key, stat, { poke: true });
    }
  }

  return {
    multiScaler,
    start: () => void (timer = clock.setTimer(reportPeriodMs, report)),
    coldStart(key) {
      const stat = { averageConcurrentRequests: 1, averageProxiedConcurrentRequests: 0, requestCount: 0, proxiedRequestCount: 0 };
      multiScaler.record(key, stat, { poke: true });
      // A decider that has never decided (initial scale 0) is not woken by a poke, and a request is waiting.
      if ((multiScaler.get(key)?.desiredScale ?? 0) < 0) multiScaler.tick(key);
    },
    [Symbol.asyncDispose]() {
      timer?.[Symbol.dispose]();
      return multiScaler.close();
    },
  };
}

function parted(key: string): readonly [namespace: string, name: string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}
