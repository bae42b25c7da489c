import { deployments, type Deployment } from '../api/apps/deployment.ts';
import { kpaClass } from '../api/autoscaling/annotation-keys.ts';
import type { AutoscalerConfig } from '../api/autoscaling/config-autoscaler.ts';
import { metrics, type Metric } from '../api/autoscaling/metric.ts';
import { podAutoscalers, type PodAutoscaler } from '../api/autoscaling/pod-autoscaler.ts';
import { findCondition, isFalse, isTrue, manageConditions, type ConditionManager } from '../api/conditions.ts';
import { serverlessServices, type ServerlessService } from '../api/networking/serverless-service.ts';
import type { Plan, Reader, Reconciler, Write } from '../api/reconciler.ts';
import { resourceKey } from '../api/resource.ts';
import { activatorCount, activatorsMin, serviceMode } from './activators.ts';
import {
  activeType,
  initializedType,
  markActive,
  podAutoscalerConditions,
  serviceReadyType,
  shownDesiredScale,
} from './active-condition.ts';
import { isControlledBy, makeMetric, makeServerlessService } from './children.ts';
import { activatorProbeFact, deciderFact, type DeciderStatus } from './facts.ts';
import { autoscalerConfigOf, progressDeadlineMs } from './live-config.ts';
import { initialExcessBurstCapacity } from './multi-scaler.ts';
import { countPods, revisionLabel } from './pod-counts.ts';
import type { DeciderSpec } from './policy.ts';
import { decideScale, scaleUnknown, type ScaleOutcome } from './scale.ts';
import { autoscalerClassOf, makeDeciderSpec, type ScalingInput } from './settings.ts';

/** Fallback for a probe whose provider never reports: upstream gives up after 45 s and looks again a second later. */
const probeFallbackMs = 46_000;

/** What one pass over a PodAutoscaler came to, besides its plan. */
export interface PodAutoscalerPass {
  readonly plan: Plan;
  readonly mode: 'Proxy' | 'Serve';
  readonly numActivators: number;
  /** `undefined` when the pass ended before the scale was decided. */
  readonly scale: ScaleOutcome | undefined;
}

export interface PodAutoscalerReconcilerOptions {
  /** Classes that this process scales. Default: the KPA's, upstream's name for "Knative's own". */
  readonly classes?: readonly string[];
}

/**
 * The reconciler of PodAutoscalers: ServerlessService, Metric, the Deployment's replicas, and the status. The same for every
 * policy: which one decides is the business of the `decider` fact's provider (see facts.ts).
 */
export function createPodAutoscalerReconciler(options: PodAutoscalerReconcilerOptions = {}): Reconciler<PodAutoscaler> {
  const classes = options.classes ?? [kpaClass];
  return {
    name: 'kpa-class-podautoscaler',
    kind: podAutoscalers,
    reconcile: (podAutoscaler, world, nowMs) =>
      classes.includes(autoscalerClassOf(inputOf(podAutoscaler)))
        ? reconcilePodAutoscaler(podAutoscaler, world, nowMs).plan
        : { writes: [] },
  };
}

/** The reconciler of PodAutoscalers of class `kpa.autoscaling.knative.dev`. */
export const podAutoscalerReconciler: Reconciler<PodAutoscaler> = createPodAutoscalerReconciler();

function inputOf(podAutoscaler: PodAutoscaler): ScalingInput {
  return {
    annotations: podAutoscaler.metadata.annotations,
    containerConcurrency: podAutoscaler.spec.containerConcurrency,
    reachability: podAutoscaler.spec.reachability,
  };
}

class Failure extends Error {}

/** One pass, with what it decided on the way. Source: knative/serving pkg/reconciler/autoscaling/kpa/kpa.go. */
export function reconcilePodAutoscaler(podAutoscaler: PodAutoscaler, world: Reader, nowMs: number): PodAutoscalerPass {
  return new Pass(podAutoscaler, world, nowMs).run();
}

class Pass {
  readonly #podAutoscaler: PodAutoscaler;
  readonly #world: Reader;
  readonly #nowMs: number;
  readonly #input: ScalingInput;
  readonly #config: AutoscalerConfig;
  readonly #key: string;
  readonly #conditions: ConditionManager;
  readonly #writes: Write[] = [];
  #serviceName: string;
  #metricsServiceName: string;
  #desiredScale: number | undefined;
  #actualScale: number | undefined;
  #mode: 'Proxy' | 'Serve' = 'Proxy';
  #numActivators = activatorsMin;
  #scale: ScaleOutcome | undefined;

  constructor(podAutoscaler: PodAutoscaler, world: Reader, nowMs: number) {
    const { metadata, status } = podAutoscaler;
    this.#podAutoscaler = podAutoscaler;
    this.#world = world;
    this.#nowMs = nowMs;
    this.#input = inputOf(podAutoscaler);
    this.#config = autoscalerConfigOf(world.config('config-autoscaler'));
    this.#key = resourceKey(metadata.namespace, metadata.name);
    this.#conditions = manageConditions(podAutoscalerConditions, status?.conditions, nowMs);
    this.#conditions.initialize();
    if (status !== undefined && metadata.generation !== undefined && status.observedGeneration !== metadata.generation) {
      // Until this pass has looked at the new generation, what was true of the old one proves nothing.
      this.#conditions.markUnknown('Ready', 'NewObservedGenFailure', 'unsuccessfully observed a new generation');
    }
    this.#serviceName = status?.serviceName ?? '';
    this.#metricsServiceName = status?.metricsServiceName ?? '';
    this.#desiredScale = status?.desiredScale;
    this.#actualScale = status?.actualScale;
  }

  run(): PodAutoscalerPass {
    let error: string | undefined;
    try {
      this.#reconcile();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      error = failure.message;
    }
    return { plan: this.#plan(error), mode: this.#mode, numActivators: this.#numActivators, scale: this.#scale };
  }

  #reconcile(): void {
    const { namespace, name } = this.#podAutoscaler.metadata;
    const service = this.#world.get(serverlessServices, namespace, name);
    const privateName = service?.status?.privateServiceName ?? '';
    if (service === undefined || privateName === '') {
      // Everything else needs the service; without a decider the number of activators is a guess.
      this.#syncService(service);
      this.#conditions.markUnknown(serviceReadyType, 'NotReady', 'No Private Service Name');
      this.#computeStatus(scaleUnknown, 0);
      return;
    }
    this.#metricsServiceName = privateName;
    const spec = makeDeciderSpec(this.#input, this.#config);
    const decider = this.#world.fact(deciderFact(this.#key, spec)) ?? unknownDecider(spec);
    this.#syncMetric(spec);
    const want = this.#applyScale(service, decider);
    const inactive = isFalse(this.#conditions.get(activeType));
    this.#mode = serviceMode(want, decider.excessBurstCapacity, inactive);
    const { ready } = countPods(this.#world, namespace, this.#podAutoscaler.metadata.labels?.[revisionLabel] ?? name);
    this.#numActivators = activatorCount(ready, spec);
    this.#syncService(service);
    this.#serviceName = service.status?.serviceName ?? '';
    this.#markServiceReady(service);
    this.#computeStatus(want, ready);
  }

  #markServiceReady(service: ServerlessService): void {
    const ready = findCondition(service.status?.conditions, 'Ready');
    const isCurrent = service.metadata.generation === service.status?.observedGeneration;
    if (isTrue(ready) && isCurrent) this.#conditions.markTrue(serviceReadyType);
    else this.#conditions.markUnknown(serviceReadyType, 'NotReady', ready?.message ?? '');
  }

  #computeStatus(want: number, ready: number): void {
    this.#actualScale = ready;
    this.#desiredScale = shownDesiredScale(want, this.#desiredScale);
    markActive(this.#conditions, {
      input: this.#input,
      config: this.#config,
      want,
      readyPods: ready,
      serviceName: this.#serviceName,
    });
  }

  #applyScale(service: ServerlessService, decider: DeciderStatus): number {
    const outcome = decideScale({
      input: this.#input,
      config: this.#config,
      progressDeadlineMs: progressDeadlineMs(this.#world.config('config-deployment')),
      desiredScale: decider.desiredScale,
      active: this.#conditions.get(activeType),
      initialized: isTrue(this.#conditions.get(initializedType)),
      mode: service.spec.mode ?? 'Proxy',
      proxyForMs: proxyForMs(service, this.#nowMs),
      probe: () => this.#probe(),
      nowMs: this.#nowMs,
    });
    this.#scale = outcome;
    if (outcome.apply) this.#patchReplicas(outcome.want);
    return outcome.want;
  }

  #probe(): boolean {
    if (this.#serviceName === '') return false;
    const params = {
      namespace: this.#podAutoscaler.metadata.namespace ?? '',
      serviceName: this.#serviceName,
      protocolType: this.#podAutoscaler.spec.protocolType ?? '',
    };
    return this.#world.fact(activatorProbeFact(this.#key, params)) === true;
  }

  #patchReplicas(want: number): void {
    const { apiVersion, kind, name } = this.#podAutoscaler.spec.scaleTargetRef;
    const { namespace } = this.#podAutoscaler.metadata;
    if (apiVersion !== 'apps/v1' || kind !== deployments.kind) {
      throw new Failure(`error scaling target: ${apiVersion} ${kind} ${name} cannot be scaled, only Deployments can`);
    }
    const target: Deployment | undefined = this.#world.get(deployments, namespace, name);
    if (target === undefined) {
      throw new Failure(`error scaling target: failed to get scale target ${resourceKey(namespace, name)}: not found`);
    }
    if ((target.spec.replicas ?? 1) === want) return;
    this.#writes.push({ op: 'patch', kind: deployments, namespace, name, patch: { spec: { replicas: want } } });
  }

  #syncMetric(spec: DeciderSpec): void {
    const { namespace, name } = this.#podAutoscaler.metadata;
    const wanted = makeMetric(this.#podAutoscaler, spec, spec.scraped ? this.#metricsServiceName : '');
    const present = this.#world.get(metrics, namespace, name);
    if (present === undefined) {
      this.#writes.push({ op: 'create', kind: metrics, resource: wanted });
      return;
    }
    this.#mustOwn(present, 'Metric');
    if (!sameFields(present.spec, wanted.spec)) {
      this.#writes.push({ op: 'update', kind: metrics, resource: { ...present, spec: wanted.spec } });
    }
  }

  #syncService(present: ServerlessService | undefined): void {
    const wanted = makeServerlessService(this.#podAutoscaler, this.#mode, this.#numActivators);
    if (present === undefined) {
      this.#writes.push({ op: 'create', kind: serverlessServices, resource: wanted });
      return;
    }
    this.#mustOwn(present, 'ServerlessService');
    const { objectRef, ...rest } = present.spec;
    const { objectRef: wantedRef, ...wantedRest } = wanted.spec;
    if (!sameFields(rest, wantedRest) || !sameFields(objectRef, wantedRef)) {
      this.#writes.push({ op: 'update', kind: serverlessServices, resource: { ...present, spec: wanted.spec } });
    }
  }

  #mustOwn(child: Metric | ServerlessService, kind: string): void {
    if (isControlledBy(child, this.#podAutoscaler)) return;
    const { name } = child.metadata;
    this.#conditions.markFalse(
      activeType,
      'NotOwned',
      `There is an existing ${kind} ${JSON.stringify(name)} that we do not own.`,
    );
    throw new Failure(`PA: ${this.#podAutoscaler.metadata.name} does not own ${kind === 'Metric' ? 'Metric' : 'SKS'}: ${name}`);
  }

  #plan(error: string | undefined): Plan {
    const { status, metadata } = this.#podAutoscaler;
    const requeueAfterMs = this.#scale?.requeueAfterMs ?? (this.#scale?.awaitsProbe === true ? probeFallbackMs : undefined);
    return {
      writes: this.#writes,
      status: {
        ...status,
        ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
        conditions: this.#conditions.conditions,
        ...(this.#serviceName === '' ? {} : { serviceName: this.#serviceName }),
        ...(this.#metricsServiceName === '' ? {} : { metricsServiceName: this.#metricsServiceName }),
        ...(this.#desiredScale === undefined ? {} : { desiredScale: this.#desiredScale }),
        ...(this.#actualScale === undefined ? {} : { actualScale: this.#actualScale }),
      },
      ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }),
      ...(error === undefined ? {} : { error }),
    };
  }
}

function unknownDecider(spec: DeciderSpec): DeciderStatus {
  return { desiredScale: scaleUnknown, excessBurstCapacity: initialExcessBurstCapacity(spec) };
}

function sameFields(a: object | undefined, b: object | undefined): boolean {
  const left = Object.entries(a ?? {}).filter(([, value]) => value !== undefined);
  const right = new Map(Object.entries(b ?? {}).filter(([, value]) => value !== undefined));
  return left.length === right.size && left.every(([name, value]) => Object.is(value, right.get(name)));
}

/** How long the activator has been behind the revision's service. */
export function proxyForMs(service: ServerlessService, nowMs: number): number {
  const populated = findCondition(service.status?.conditions, 'ActivatorEndpointsPopulated');
  if (!isTrue(populated) || populated?.lastTransitionTime === undefined) return 0;
  return nowMs - Date.parse(populated.lastTransitionTime);
}
