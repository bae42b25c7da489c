import { deployments, type Deployment } from '../../api/apps/deployment.ts';
import { pods, type Pod } from '../../api/core/pod.ts';
import type { Plan, Reconciler, Write } from '../../api/reconciler.ts';
import { resourceKey } from '../../api/resource.ts';
import { jsonClone } from '../../json.ts';
import { deploymentStatus, progressDeadlineMs } from './deployment-status.ts';
import { podLoadFact, type PodLoad } from './pod-load.ts';
import { instanceFinalizer, isReady, isTerminating } from './pod-state.ts';

const templateHashLabel = 'pod-template-hash';
/** What a Pod is worth when some have to go: the cheapest first. Kubernetes' annotation. */
const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
const letters = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * Deployment → Pods: what kube-controller-manager's Deployment and ReplicaSet controllers do on a cluster, without the ReplicaSet
 * between. A changed template is rolled out without a gap: old pods go once enough new ones are ready.
 */
export const deploymentReconciler: Reconciler<Deployment> = {
  name: 'deployment',
  kind: deployments,
  reconcile(deployment, world, nowMs): Plan {
    const owned = world.list(pods, { ownerUid: deployment.metadata.uid ?? '' });
    const hash = templateHash(deployment);
    const living = owned.filter((pod) => !isTerminating(pod));
    const current = living.filter((pod) => pod.metadata.labels?.[templateHashLabel] === hash);
    const old = living.filter((pod) => !current.includes(pod));
    const wanted = deployment.spec.replicas ?? 1;
    const writes: Write[] = [];
    if (current.length < wanted) {
      const taken = new Set(owned.map(({ metadata }) => metadata.name));
      for (const name of freshNames(deployment, hash, wanted - current.length, taken)) {
        writes.push({ op: 'create', kind: pods, resource: makePod(deployment, name, hash) });
      }
    }
    if (current.length > wanted) {
      const load = world.fact(podLoadFact(resourceKey(deployment.metadata.namespace, deployment.metadata.name)));
      for (const pod of surplus(current, wanted, load)) writes.push(remove(pod));
    }
    const rolledOut = current.filter(isReady).length >= wanted;
    for (const pod of old) if (rolledOut || !isReady(pod)) writes.push(remove(pod));

    const status = deploymentStatus(deployment, { current, old }, nowMs);
    const deadlineMs = progressDeadlineMs(deployment, status);
    return { writes, status, ...(deadlineMs === undefined ? {} : { requeueAfterMs: Math.max(1, deadlineMs - nowMs) }) };
  },
};

/**
 * Which pods go first when there are too many: those that are not ready, then by their deletion cost, as Kubernetes ranks them; then
 * the ones with the fewest requests, which are idle soonest, and of those the newest, as Kubernetes again. Source:
 * `ActivePodsWithRanks` of kubernetes/kubernetes, pkg/controller.
 */
function surplus(current: readonly Pod[], wanted: number, load: PodLoad | undefined): readonly Pod[] {
  const requests = ({ metadata }: Pod): number => load?.get(metadata.name) ?? 0;
  return current
    .toSorted(
      (a, b) =>
        Number(isReady(a)) - Number(isReady(b)) ||
        deletionCost(a) - deletionCost(b) ||
        requests(a) - requests(b) ||
        age(a) - age(b) ||
        (a.metadata.name < b.metadata.name ? 1 : -1),
    )
    .slice(0, current.length - wanted);
}

function deletionCost({ metadata }: Pod): number {
  const cost = Number(metadata.annotations?.[deletionCostAnnotation] ?? 0);
  return Number.isInteger(cost) ? cost : 0;
}

// Seconds are too coarse for pods of one burst; versions of the store order them exactly.
function age(pod: Pod): number {
  return -Date.parse(pod.metadata.creationTimestamp ?? '');
}

function remove(pod: Pod): Write {
  const { namespace, name, uid } = pod.metadata;
  return { op: 'delete', kind: pods, namespace, name, ...(uid === undefined ? {} : { uid }) };
}

function makePod(deployment: Deployment, name: string, hash: string): Pod {
  const { template } = deployment.spec;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      ...(deployment.metadata.namespace === undefined ? {} : { namespace: deployment.metadata.namespace }),
      labels: { ...template.metadata.labels, [templateHashLabel]: hash },
      ...(template.metadata.annotations === undefined ? {} : { annotations: { ...template.metadata.annotations } }),
      finalizers: [instanceFinalizer],
      ownerReferences: [
        {
          apiVersion: deployment.apiVersion,
          kind: deployment.kind,
          name: deployment.metadata.name,
          uid: deployment.metadata.uid ?? '',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: jsonClone(template.spec),
  };
}

/** Names that no pod has now: the same plan made twice gives the same names, so creating them twice does no harm. */
function* freshNames(deployment: Deployment, hash: string, count: number, taken: ReadonlySet<string>): Generator<string> {
  for (let index = 0, found = 0; found < count; index++) {
    const name = `${deployment.metadata.name}-${suffix(`${deployment.metadata.uid ?? ''} ${hash} ${index}`)}`;
    if (taken.has(name)) continue;
    found++;
    yield name;
  }
}

function templateHash(deployment: Deployment): string {
  return suffix(JSON.stringify(deployment.spec.template));
}

/** Ten letters that stand for a text (two rounds of FNV-1a, 32 bits each). */
function suffix(text: string): string {
  let result = '';
  for (const seed of [0x811c9dc5, 0x01000193]) {
    let hash = seed;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash >>>= 0;
    for (let i = 0; i < 5; i++) {
      result += letters[hash % letters.length] ?? '';
      hash = Math.floor(hash / letters.length);
    }
  }
  return result;
}
