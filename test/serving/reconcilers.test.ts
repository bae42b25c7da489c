import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Kind } from '../../src/api/kind.ts';
import type { Plan, Reconciler } from '../../src/api/reconciler.ts';
import type { Resource } from '../../src/api/resource.ts';
import { localIngressReconciler, servingReconcilers } from '../../src/serving/index.ts';
import { StoryStore } from '../replays/serving.store.ts';

const reconcilers: readonly Reconciler[] = [...servingReconcilers, localIngressReconciler as unknown as Reconciler];

const service = (image: string, traffic?: unknown): Resource => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'hello', namespace: 'default' },
  spec: { template: { spec: { containers: [{ image }] } }, ...(traffic !== undefined && { traffic }) },
});

/** A small cluster: the reconcilers, and stand-ins for what Kubernetes, the autoscaler and the gateway say. */
class Cluster {
  readonly store = new StoryStore();

  constructor() {
    this.store.facts.set('image-digest', ({ key }) => ({ digest: `${key}@sha256:${'a'.repeat(64)}` }));
    this.store.facts.set('ingress-ready', ({ key }) => {
      const [namespace, name = ''] = key.split('/');
      const ingress = this.store.get(this.store.kindNamed('Ingress'), namespace, name);
      const gateway = { ingress: [{ domainInternal: 'gateway.knative-serving.svc.cluster.local' }] };
      return { generation: ingress?.metadata.generation ?? 0, publicLoadBalancer: gateway, privateLoadBalancer: gateway };
    });
    this.store.write({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'activator-service', namespace: 'knative-serving' },
      ...{ subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ name: 'http', port: 8012 }] }] },
    } as Resource);
  }

  /** One pass of one reconciler over every object of its kind; true when it changed anything. */
  reconcile(reconciler: Reconciler): boolean {
    let changed = false;
    for (const resource of this.of(reconciler.kind)) {
      const plan = reconciler.reconcile(resource, this.store.reader(), this.store.nowMs);
      changed = this.carryOut(reconciler.kind, resource, plan) || changed;
    }
    return changed;
  }

  carryOut(kind: Kind, resource: Resource, plan: Plan): boolean {
    // A stale create is normal: the object is there already.
    const writes = plan.writes.filter(
      (write) =>
        write.op !== 'create' ||
        this.store.get(write.kind, write.resource.metadata.namespace, write.resource.metadata.name) === undefined,
    );
    this.store.carryOut(kind, resource, { ...plan, writes });
    return writes.length > 0 || plan.status !== undefined;
  }

  of(kind: Kind): readonly Resource[] {
    return this.store.all().filter((object) => object.kind === kind.kind && object.apiVersion.startsWith(kind.group));
  }

  /** Deployments come up, private Services get endpoints, PodAutoscalers make their ServerlessService and report it. */
  standIn(which: number): boolean {
    const before = JSON.stringify(this.store.all());
    if (which === 0) this.deploymentsUp();
    else if (which === 1) this.endpointsUp();
    else this.autoscale();
    return before !== JSON.stringify(this.store.all());
  }

  deploymentsUp(): void {
    const kind = this.store.kindNamed('Deployment');
    for (const deployment of this.of(kind)) {
      this.store.setStatus(kind, deployment, {
        replicas: 1,
        readyReplicas: 1,
        availableReplicas: 1,
        conditions: [{ type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' }],
      });
    }
  }

  endpointsUp(): void {
    for (const { metadata } of this.of(this.store.kindNamed('K8sService'))) {
      if (!metadata.name.endsWith('-private')) continue;
      this.store.write({
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { name: metadata.name, namespace: metadata.namespace ?? 'default' },
        ...{ subsets: [{ addresses: [{ ip: '10.1.0.1' }], ports: [{ name: 'http', port: 8012 }] }] },
      } as Resource);
    }
  }

  autoscale(): void {
    const kind = this.store.kindNamed('PodAutoscaler');
    for (const pa of this.of(kind)) {
      const { name, namespace = 'default', uid = '' } = pa.metadata;
      const sksKind = this.store.kindNamed('ServerlessService');
      const sks = this.store.get(sksKind, namespace, name);
      if (sks === undefined) {
        this.store.write({
          apiVersion: 'networking.internal.knative.dev/v1alpha1',
          kind: 'ServerlessService',
          metadata: {
            name,
            namespace,
            ownerReferences: [
              { apiVersion: pa.apiVersion, kind: pa.kind, name, uid, controller: true, blockOwnerDeletion: true },
            ],
          },
          spec: { mode: 'Serve', protocolType: 'http1', objectRef: (pa.spec as { scaleTargetRef: object }).scaleTargetRef },
        });
        continue;
      }
      const status = sks.status as { conditions?: { type: string; status: string }[] } | undefined;
      if (status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True') continue;
      this.store.setStatus(kind, pa, {
        observedGeneration: pa.metadata.generation,
        serviceName: name,
        desiredScale: 1,
        actualScale: 1,
        conditions: ['Active', 'Ready', 'SKSReady', 'ScaleTargetInitialized'].map((type) => ({ type, status: 'True' })),
      });
    }
  }

  /** Everything in turn until nothing changes; how many rounds it took. */
  settle(): number {
    for (let round = 1; round < 60; round++) {
      let changed = false;
      for (const reconciler of reconcilers) changed = this.reconcile(reconciler) || changed;
      for (const which of [0, 1, 2]) changed = this.standIn(which) || changed;
      if (!changed) return round;
    }
    throw new Error('never settles');
  }

  /** All objects without times and counters that depend on the order of events. */
  snapshot(): unknown {
    const drop = new Set(['lastTransitionTime', 'creationTimestamp', 'generation', 'observedGeneration']);
    return this.store
      .all()
      .slice()
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
      .map(
        (object) =>
          JSON.parse(
            JSON.stringify(object, (key: string, value: unknown) => (drop.has(key) ? undefined : sorted(value))),
          ) as unknown,
      );
  }
}

const keyOf = ({ apiVersion, kind, metadata }: Resource): string =>
  `${apiVersion} ${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function readyOf(cluster: Cluster, kind: string, name: string): string | undefined {
  const object = cluster.store.get(cluster.store.kindNamed(kind), 'default', name);
  const status = object?.status as { conditions?: { type: string; status: string }[] } | undefined;
  return status?.conditions?.find(({ type }) => type === 'Ready')?.status;
}

describe('a Service', () => {
  test('becomes ready, and then nothing changes any more', () => {
    const cluster = new Cluster();
    cluster.store.write(service('example.com/app:v1'));
    cluster.settle();
    expect(readyOf(cluster, 'Service', 'hello')).toBe('True');
    expect(readyOf(cluster, 'Route', 'hello')).toBe('True');
    for (const reconciler of reconcilers) {
      for (const resource of cluster.of(reconciler.kind)) {
        const plan = reconciler.reconcile(resource, cluster.store.reader(), cluster.store.nowMs);
        expect({ reconciler: reconciler.name, writes: plan.writes, status: plan.status, error: plan.error }).toEqual({
          reconciler: reconciler.name,
          writes: [],
          status: undefined,
          error: undefined,
        });
      }
    }
  });

  test('moves traffic to the next revision and puts the old one in reserve', () => {
    const cluster = new Cluster();
    cluster.store.write(service('example.com/app:v1'));
    cluster.settle();
    cluster.store.write(service('example.com/app:v2'));
    cluster.settle();
    const route = cluster.store.get(cluster.store.kindNamed('Route'), 'default', 'hello');
    expect((route?.status as { traffic: unknown }).traffic).toEqual([
      { latestRevision: true, percent: 100, revisionName: 'hello-00002' },
    ]);
    const old = cluster.store.get(cluster.store.kindNamed('Revision'), 'default', 'hello-00001');
    expect(old?.metadata.labels?.['serving.knative.dev/routingState']).toBe('reserve');
  });

  test('with an image that has no program fails with the reason', () => {
    const cluster = new Cluster();
    cluster.store.facts.set('image-digest', () => ({ error: 'no program for image "example.com/app:v1"' }));
    cluster.store.write(service('example.com/app:v1'));
    cluster.settle();
    const { conditions = [] } = (cluster.store.get(cluster.store.kindNamed('Service'), 'default', 'hello')?.status ?? {}) as {
      conditions?: { type: string; status: string; message?: string }[];
    };
    const of = (type: string) => conditions.find((condition) => condition.type === type);
    expect(of('Ready')?.status).toBe('False');
    expect(of('ConfigurationsReady')?.message).toContain('no program for image');
  });
});

const changes = [
  service('example.com/app:v1'),
  service('example.com/app:v2'),
  service('example.com/app:v2', [
    { latestRevision: true, percent: 90 },
    { revisionName: 'hello-00001', percent: 10, tag: 'old' },
  ]),
];

/** What the recorded order of everything leads to. */
function reference(): unknown {
  const cluster = new Cluster();
  for (const change of changes) {
    cluster.store.write(change);
    cluster.settle();
  }
  return cluster.snapshot();
}

describe('any order of events', () => {
  const steps = reconcilers.length + 3;

  test('leads to the same state', () => {
    const expected = reference();
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat({ max: steps - 1 }), { maxLength: 60 }), { minLength: 3, maxLength: 3 }), (orders) => {
        const cluster = new Cluster();
        changes.forEach((change, index) => {
          cluster.store.write(change);
          for (const step of orders[index] ?? []) {
            const reconciler = reconcilers[step];
            if (reconciler === undefined) cluster.standIn(step - reconcilers.length);
            else cluster.reconcile(reconciler);
          }
          cluster.settle();
        });
        expect(cluster.snapshot()).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });

  test('a plan applied twice changes nothing more', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: steps - 1 }), { maxLength: 60 }), (order) => {
        const cluster = new Cluster();
        cluster.store.write(service('example.com/app:v1'));
        for (const step of order) {
          const reconciler = reconcilers[step];
          if (reconciler === undefined) {
            cluster.standIn(step - reconcilers.length);
            continue;
          }
          for (const resource of cluster.of(reconciler.kind)) {
            const plan = reconciler.reconcile(resource, cluster.store.reader(), cluster.store.nowMs);
            cluster.carryOut(reconciler.kind, resource, plan);
            const once = cluster.snapshot();
            cluster.carryOut(reconciler.kind, resource, plan);
            expect(cluster.snapshot()).toEqual(once);
          }
        }
      }),
      { numRuns: 15 },
    );
  });

  test('equal input gives an equal plan, and changes nothing that it was given', () => {
    const cluster = new Cluster();
    cluster.store.write(service('example.com/app:v1'));
    for (let round = 0; round < 12; round++) {
      for (const reconciler of reconcilers) {
        for (const resource of cluster.of(reconciler.kind)) {
          const before = JSON.stringify(cluster.store.all());
          const first = reconciler.reconcile(resource, cluster.store.reader(), cluster.store.nowMs);
          const second = reconciler.reconcile(resource, cluster.store.reader(), cluster.store.nowMs);
          expect(second).toEqual(first);
          expect(JSON.stringify(cluster.store.all())).toBe(before);
        }
        cluster.reconcile(reconciler);
      }
      for (const which of [0, 1, 2]) cluster.standIn(which);
    }
  });
});
