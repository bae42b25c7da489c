import { beforeEach, describe, expect, test } from 'vitest';
import { apiVersionOf, type Kind } from '../../src/api/kind.ts';
import { deployments, type Deployment } from '../../src/api/apps/deployment.ts';
import { metrics } from '../../src/api/autoscaling/metric.ts';
import { podAutoscalers, type PodAutoscaler } from '../../src/api/autoscaling/pod-autoscaler.ts';
import { findCondition } from '../../src/api/conditions.ts';
import { pods, type Pod } from '../../src/api/core/pod.ts';
import { serverlessServices, type ServerlessService } from '../../src/api/networking/serverless-service.ts';
import type { FactRequest, Plan, Reader } from '../../src/api/reconciler.ts';
import { resourceKey, type Resource } from '../../src/api/resource.ts';
import { createPodAutoscalerReconciler, podAutoscalerReconciler, type DeciderStatus } from '../../src/autoscaler/index.ts';
import { startMs } from './deciders.ts';

/** A store as small as a reconciler needs it; plans are applied to it. */
class World implements Reader {
  readonly objects = new Map<string, Resource>();
  readonly configs: Record<string, Record<string, string>> = {};
  decider: DeciderStatus | undefined = { desiredScale: -1, excessBurstCapacity: -111 };
  probe: boolean | undefined = false;
  readonly asked: FactRequest<unknown>[] = [];

  #key(kind: Pick<Kind, 'kind'>, namespace: string | undefined, name: string): string {
    return `${kind.kind} ${resourceKey(namespace, name)}`;
  }
  put(kind: Kind, resource: Resource): void {
    this.objects.set(this.#key(kind, resource.metadata.namespace, resource.metadata.name), resource);
  }
  get<R extends Resource>(kind: Kind<R>, namespace: string | undefined, name: string): R | undefined {
    return this.objects.get(this.#key(kind, namespace, name)) as R | undefined;
  }
  list<R extends Resource>(kind: Kind<R>): readonly R[] {
    return [...this.objects.values()].filter((object) => object.kind === kind.kind) as R[];
  }
  getByReference(): undefined {
    return undefined;
  }
  config(name: string): Record<string, string> {
    return (this.configs[name] ??= {});
  }
  fact<T>(request: FactRequest<T>): T | undefined {
    this.asked.push(request);
    return (request.provider === 'decider' ? this.decider : this.probe) as T | undefined;
  }
}

const base: PodAutoscaler = {
  apiVersion: apiVersionOf(podAutoscalers),
  kind: 'PodAutoscaler',
  metadata: {
    name: 'hello-00001',
    namespace: 'default',
    uid: 'pa',
    generation: 1,
    labels: { 'serving.knative.dev/revision': 'hello-00001' },
    annotations: { 'autoscaling.knative.dev/metric': 'rps', 'example.com/kept': 'yes' },
  },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'hello-00001-deployment' },
    protocolType: 'http1',
    reachability: 'Reachable',
  },
};

let world: World;
let podAutoscaler: PodAutoscaler;
const service = (): ServerlessService | undefined => world.get(serverlessServices, 'default', 'hello-00001');

function pass(nowMs = startMs): Plan {
  const plan = podAutoscalerReconciler.reconcile(podAutoscaler, world, nowMs);
  for (const write of plan.writes) {
    if (write.op === 'create' || write.op === 'update') world.put(write.kind, write.resource);
    if (write.op !== 'patch') continue;
    const target = world.get(deployments, write.namespace, write.name);
    if (target !== undefined) world.put(deployments, { ...target, spec: { ...target.spec, ...(write.patch['spec'] as object) } });
  }
  podAutoscaler = { ...podAutoscaler, status: plan.status as NonNullable<PodAutoscaler['status']> };
  return plan;
}

function nameService(): void {
  const present = service();
  if (present === undefined) throw new Error('no service yet');
  world.put(serverlessServices, {
    ...present,
    metadata: { ...present.metadata, generation: 1 },
    status: {
      observedGeneration: 1,
      serviceName: 'hello-00001',
      privateServiceName: 'hello-00001-private',
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  } as ServerlessService);
}

function setReady(count: number): void {
  for (const pod of world.list(pods)) world.objects.delete(`Pod default/${pod.metadata.name}`);
  for (let index = 0; index < count; index++) {
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `pod-${index}`, namespace: 'default', labels: { 'serving.knative.dev/revision': 'hello-00001' } },
      spec: { containers: [] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    };
    world.put(pods, pod);
  }
}

beforeEach(() => {
  world = new World();
  podAutoscaler = structuredClone(base);
  world.put(deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'hello-00001-deployment', namespace: 'default' },
    spec: { replicas: 1, selector: {}, template: { metadata: {}, spec: { containers: [] } } },
  } as Deployment);
});

const shown = (): (string | undefined)[] =>
  ['Ready', 'Active', 'ScaleTargetInitialized', 'SKSReady'].map(
    (type) => findCondition(podAutoscaler.status?.conditions, type)?.status,
  );

describe('a PodAutoscaler', () => {
  test('begins with its ServerlessService, behind the activator', () => {
    const plan = pass();
    expect(plan.writes).toMatchObject([
      {
        op: 'create',
        resource: {
          kind: 'ServerlessService',
          metadata: {
            name: 'hello-00001',
            annotations: { 'example.com/kept': 'yes' },
            ownerReferences: [{ kind: 'PodAutoscaler', uid: 'pa', controller: true }],
          },
          spec: { mode: 'Proxy', numActivators: 2, protocolType: 'http1' },
        },
      },
    ]);
    expect(world.asked).toEqual([]);
    expect(shown()).toEqual(['Unknown', 'Unknown', 'Unknown', 'Unknown']);
    expect(podAutoscaler.status).toMatchObject({ desiredScale: -1, actualScale: 0, observedGeneration: 1 });
  });

  test('becomes ready, scales its Deployment, and is served directly once there is capacity to spare', () => {
    pass();
    nameService();
    pass();
    expect(world.get(metrics, 'default', 'hello-00001')?.spec).toEqual({
      stableWindow: 60_000_000_000,
      panicWindow: 6_000_000_000,
      scrapeTarget: 'hello-00001-private',
    });
    setReady(1);
    world.decider = { desiredScale: 4, excessBurstCapacity: 10 };
    const plan = pass(startMs + 1_000);
    expect(plan.writes).toMatchObject([
      { op: 'patch', name: 'hello-00001-deployment', patch: { spec: { replicas: 4 } } },
      { op: 'update', resource: { kind: 'ServerlessService', spec: { mode: 'Serve' } } },
    ]);
    expect(shown()).toEqual(['True', 'True', 'True', 'True']);
    expect(podAutoscaler.status).toMatchObject({ desiredScale: 4, actualScale: 1, serviceName: 'hello-00001' });
  });

  test('a plan applied twice changes nothing', () => {
    pass();
    nameService();
    setReady(1);
    world.decider = { desiredScale: 2, excessBurstCapacity: -1 };
    pass();
    const again = pass();
    expect(again.writes).toEqual([]);
    expect(pass()).toEqual(again);
  });

  test('goes to zero only after the activator has been seen in the path', () => {
    pass();
    nameService();
    setReady(1);
    world.decider = { desiredScale: 1, excessBurstCapacity: -1 };
    pass();
    world.decider = { desiredScale: 0, excessBurstCapacity: -1 };
    const later = startMs + 120_000;
    expect(pass(later).writes).toEqual([]);
    expect(shown()[1]).toBe('False');
    const waiting = pass(later + 40_000);
    expect(waiting.writes).toEqual([]);
    expect(waiting.requeueAfterMs).toBe(46_000);
    world.probe = true;
    expect(pass(later + 41_000).writes).toMatchObject([{ op: 'patch', patch: { spec: { replicas: 0 } } }]);
  });

  test('asks for the decider with the spec that annotations and configuration give', () => {
    world.configs['config-autoscaler'] = { 'requests-per-second-target-default': '100' };
    pass();
    nameService();
    pass();
    expect(world.asked[0]).toMatchObject({
      provider: 'decider',
      key: 'default/hello-00001',
      params: { spec: { scalingMetric: 'rps', totalValue: 100, targetValue: 70, scraped: true } },
    });
  });

  test('treats a decider that has not answered as one that knows nothing', () => {
    pass();
    nameService();
    world.decider = undefined;
    expect(pass().error).toBeUndefined();
    expect(podAutoscaler.status?.desiredScale).toBe(-1);
  });

  test('says what stands in its way', () => {
    pass();
    nameService();
    world.decider = { desiredScale: 3, excessBurstCapacity: 0 };
    world.objects.delete('Deployment default/hello-00001-deployment');
    expect(pass().error).toBe('error scaling target: failed to get scale target default/hello-00001-deployment: not found');
    podAutoscaler.spec.scaleTargetRef.kind = 'StatefulSet';
    expect(pass().error).toContain('only Deployments can');
    const present = service();
    if (present !== undefined)
      world.put(serverlessServices, { ...present, metadata: { ...present.metadata, ownerReferences: [] } });
    podAutoscaler.spec.scaleTargetRef.kind = 'Deployment';
    world.decider = { desiredScale: -1, excessBurstCapacity: 0 };
    podAutoscaler.status = {};
    expect(pass().error).toBeDefined();
  });

  test('leaves what another owner has made alone', () => {
    pass();
    nameService();
    const present = service();
    if (present === undefined) throw new Error('no service');
    world.put(serverlessServices, { ...present, metadata: { ...present.metadata, ownerReferences: [] } });
    setReady(1);
    world.decider = { desiredScale: 1, excessBurstCapacity: 5 };
    const plan = pass();
    expect(plan.error).toBe('PA: hello-00001 does not own SKS: hello-00001');
    expect(findCondition(podAutoscaler.status?.conditions, 'Active')).toMatchObject({ status: 'False', reason: 'NotOwned' });
  });

  test('of another class is left alone, or taken by a reconciler made for it', () => {
    podAutoscaler.metadata.annotations = { 'autoscaling.knative.dev/class': 'mine.example.com' };
    expect(podAutoscalerReconciler.reconcile(podAutoscaler, world, startMs)).toEqual({ writes: [] });
    const own = createPodAutoscalerReconciler({ classes: ['mine.example.com'] });
    expect(own.reconcile(podAutoscaler, world, startMs).writes).toHaveLength(1);
  });
});
