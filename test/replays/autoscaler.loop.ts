// Replays the whole control loop: the multi-scaler, the collector and the reconciler against a simulated cluster.
import { deployments } from '../../src/api/apps/deployment.ts';
import { metrics, type Metric } from '../../src/api/autoscaling/metric.ts';
import { podAutoscalers, type PodAutoscaler } from '../../src/api/autoscaling/pod-autoscaler.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { pods, type Pod } from '../../src/api/core/pod.ts';
import { apiVersionOf, type Kind } from '../../src/api/kind.ts';
import { serverlessServices, type ServerlessService } from '../../src/api/networking/serverless-service.ts';
import type { FactRequest, Reader } from '../../src/api/reconciler.ts';
import type { Condition, Resource } from '../../src/api/resource.ts';
import type { Clock } from '../../src/clock.ts';
import { activatorProbeProvider, deciderProvider, type DeciderFactParams } from '../../src/autoscaler/facts.ts';
import { createMultiScaler, type MultiScaler } from '../../src/autoscaler/multi-scaler.ts';
import type { Decision } from '../../src/autoscaler/policy.ts';
import { reconcilePodAutoscaler } from '../../src/autoscaler/reconciler.ts';
import { casesOf, jsonNumbers } from './autoscaler.cases.ts';
import { differencesOf, type ReplayCase } from './replay.ts';

type LoopEvent = [kind: string, t: number, ...rest: unknown[]];

interface Scenario {
  name: string;
  t0: number;
  initialReplicas: number;
  progressDeadlineMs: number;
  config: Record<string, string>;
  pa: { annotations: Record<string, string>; containerConcurrency: number; reachability: '' | 'Reachable' | 'Unreachable' };
  events: LoopEvent[];
}

const outputKinds = new Set(['tick', 'metric', 'reconcile']);
const key = 'default/rev';

export function* loopCases(folder: string): Iterable<ReplayCase> {
  for (const scenario of casesOf<Scenario>(folder, 'kpa-loop.json')) {
    yield {
      file: 'kpa-loop.json',
      id: scenario.name,
      expected: jsonNumbers(scenario.events.filter(([kind]) => outputKinds.has(kind)).map(outputOf)),
      check: (want: unknown) => differencesOf(want, jsonNumbers(new Loop(scenario).run())),
    };
  }
}

// What triggered a pass, and whether a probe would succeed, are inputs.
function outputOf([kind, t, ...rest]: LoopEvent): unknown {
  if (kind !== 'reconcile') return [kind, t, ...rest];
  const { trigger: _trigger, probeResult: _probeResult, ...output } = rest[0] as Record<string, unknown>;
  return [kind, t, output];
}

const isoAt = (ms: number): string => new Date(ms).toISOString();

class Loop {
  readonly #scenario: Scenario;
  #nowMs: number;
  readonly #clock: Clock;
  #scaler: MultiScaler;
  #podAutoscaler: PodAutoscaler;
  #service: ServerlessService | undefined;
  #metric: Metric | undefined;
  #pods: Pod[] = [];
  #replicas: number;
  #ready = 0;
  #probeResult = false;
  #probed = false;
  /** Decisions that a poke caused, not yet seen as events. */
  readonly #poked: (Decision | undefined)[] = [];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#nowMs = scenario.t0;
    this.#replicas = scenario.initialReplicas;
    // Ticks come as events: at equal times their order is part of the recording.
    this.#clock = {
      now: () => this.#nowMs,
      monotonic: () => this.#nowMs,
      setTimer: () => ({ [Symbol.dispose]: () => undefined }),
    };
    this.#scaler = this.#newScaler();
    this.#podAutoscaler = {
      apiVersion: apiVersionOf(podAutoscalers),
      kind: podAutoscalers.kind,
      metadata: {
        name: 'rev',
        namespace: 'default',
        uid: 'u1',
        generation: 1,
        labels: { 'serving.knative.dev/revision': 'rev' },
        annotations: scenario.pa.annotations,
      },
      spec: {
        containerConcurrency: scenario.pa.containerConcurrency,
        reachability: scenario.pa.reachability,
        protocolType: 'http1',
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'rev-deployment' },
      },
    };
  }

  #newScaler(): MultiScaler {
    return createMultiScaler({ clock: this.#clock, readyPods: () => this.#ready });
  }

  run(): unknown[] {
    const outputs: unknown[] = [];
    for (const [kind, t, ...rest] of this.#scenario.events) {
      this.#nowMs = this.#scenario.t0 + t;
      switch (kind) {
        case 'tick': {
          const decision = this.#poked.length > 0 ? this.#poked.shift() : this.#scaler.tick(key);
          outputs.push(['tick', t, this.#ready, decision?.desired, decision?.excessBurstCapacity, decision?.valid]);
          break;
        }
        case 'metric':
          outputs.push(['metric', t, ...this.#metricView()]);
          break;
        case 'reconcile': {
          this.#probeResult = (rest[0] as { probeResult: boolean }).probeResult;
          outputs.push(['reconcile', t, this.#reconcile()]);
          break;
        }
        default:
          this.#input(kind, rest);
      }
    }
    if (this.#poked.length > 0) outputs.push(`${this.#poked.length} decisions by poke that the recording does not have`);
    void this.#scaler.close();
    return outputs;
  }

  #metricView(): unknown[] {
    const spec = this.#metric?.spec;
    return [(spec?.stableWindow ?? 0) / 1e6, (spec?.panicWindow ?? 0) / 1e6, spec?.scrapeTarget];
  }

  #input(kind: string, rest: unknown[]): void {
    const metadata = this.#podAutoscaler.metadata;
    const generation = (metadata.generation ?? 0) + 1;
    if (kind === 'pods') this.#setPods(rest[0] as number, rest[1] as number);
    else if (kind === 'sks') this.#setActivatorBacked(rest[0] as boolean);
    else if (kind === 'r') this.#report(rest);
    else if (kind === 'annotations') {
      this.#podAutoscaler = { ...this.#podAutoscaler, metadata: { ...metadata, annotations: rest[0] as Record<string, string> } };
    } else if (kind === 'reachability') {
      const reachability = rest[0] as Scenario['pa']['reachability'];
      this.#podAutoscaler = {
        ...this.#podAutoscaler,
        metadata: { ...metadata, generation },
        spec: { ...this.#podAutoscaler.spec, reachability },
      };
    } else if (kind === 'restart') {
      void this.#scaler.close();
      this.#scaler = this.#newScaler();
    } else throw new Error(`unknown event ${kind}`);
  }

  #setPods(ready: number, notReady: number): void {
    this.#ready = ready;
    const labels = { 'serving.knative.dev/revision': 'rev' };
    this.#pods = Array.from({ length: ready + notReady }, (_, index) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `rev-${index}`, namespace: 'default', labels },
      spec: { containers: [] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: index < ready ? 'True' : 'False' }] },
    }));
  }

  #setActivatorBacked(backed: boolean): void {
    const condition: Condition = {
      type: 'ActivatorEndpointsPopulated',
      status: backed ? 'True' : 'False',
      lastTransitionTime: isoAt(this.#nowMs),
    };
    if (this.#service === undefined) return;
    this.#service = {
      ...this.#service,
      status: { ...this.#service.status, conditions: [condition, { type: 'Ready', status: 'True' }] },
    };
  }

  #report([recordedAt, concurrency, proxied, count, proxiedCount, source]: unknown[]): void {
    const stat = {
      averageConcurrentRequests: concurrency as number,
      averageProxiedConcurrentRequests: proxied as number,
      requestCount: count as number,
      proxiedRequestCount: proxiedCount as number,
    };
    this.#scaler.record(key, stat, { nowMs: this.#scenario.t0 + (recordedAt as number) });
    if (source !== 'activator') return;
    const before = this.#scaler.get(key);
    if (before?.desiredScale !== 0) return;
    if (this.#scaler.poke(key, stat)) this.#poked.push(this.#scaler.lastDecision(key));
  }

  #reconcile(): unknown {
    this.#probed = false;
    const before = this.#podAutoscaler.status?.conditions ?? [];
    const pass = reconcilePodAutoscaler(this.#podAutoscaler, this.#reader(), this.#nowMs);
    const { plan } = pass;
    if (plan.error !== undefined) throw new Error(plan.error);
    let patched: number | null = null;
    for (const write of plan.writes) {
      if (write.op === 'patch') {
        patched = (write.patch['spec'] as { replicas: number }).replicas;
        this.#replicas = patched;
      } else if (write.op !== 'delete') this.#store(write.resource);
    }
    const status = plan.status as NonNullable<PodAutoscaler['status']>;
    // The recording keeps condition times at full precision; a status is written with whole seconds.
    const conditions = (status.conditions ?? []).map((condition) =>
      before.includes(condition) ? condition : { ...condition, lastTransitionTime: isoAt(this.#nowMs) },
    );
    this.#podAutoscaler = { ...this.#podAutoscaler, status: { ...status, conditions } };
    const show = (type: string): string => {
      const condition = findCondition(conditions, type);
      return [condition?.status ?? '', ...(condition?.reason === undefined ? [] : [condition.reason])].join(':');
    };
    return {
      active: show('Active'),
      actualScale: status.actualScale,
      asyncProbeOffered: pass.scale?.awaitsProbe ?? false,
      desiredScale: status.desiredScale,
      enqueueAfterMs: pass.scale?.requeueAfterMs === undefined ? [] : [pass.scale.requeueAfterMs],
      initialized: show('ScaleTargetInitialized'),
      numActivators: pass.numActivators,
      probed: this.#probed,
      ready: show('Ready'),
      replicas: patched,
      sksMode: pass.mode,
      sksReady: show('SKSReady'),
    };
  }

  #store(resource: Resource): void {
    if (resource.kind === 'Metric') this.#metric = resource as Metric;
    else {
      const service = resource as ServerlessService;
      const conditions = this.#service?.status?.conditions ?? [];
      this.#service = { ...service, status: { serviceName: 'rev', privateServiceName: 'rev-private', conditions } };
    }
  }

  #reader(): Reader {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'rev-deployment', namespace: 'default' },
      spec: { replicas: this.#replicas },
    };
    const objects = new Map<Kind['kind'], unknown>([
      [metrics.kind, this.#metric],
      [serverlessServices.kind, this.#service],
      [deployments.kind, deployment],
    ]);
    return {
      get: <R extends Resource>(kind: Kind<R>) => objects.get(kind.kind) as R | undefined,
      list: <R extends Resource>(kind: Kind<R>) => (kind.kind === pods.kind ? this.#pods : []) as unknown as readonly R[],
      getByReference: () => undefined,
      config: (name) =>
        name === 'config-autoscaler' ? this.#scenario.config : { 'progress-deadline': `${this.#scenario.progressDeadlineMs}ms` },
      fact: <T>(request: FactRequest<T>) => this.#fact(request) as T | undefined,
    };
  }

  #fact(request: FactRequest<unknown>): unknown {
    if (request.provider === deciderProvider) return this.#scaler.ensure(request.key, (request.params as DeciderFactParams).spec);
    if (request.provider !== activatorProbeProvider) throw new Error(`unknown fact ${request.provider}`);
    this.#probed = true;
    return this.#probeResult;
  }
}
