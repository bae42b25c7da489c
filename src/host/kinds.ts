import { eventingKinds } from '../api/eventing/kinds.ts';
import { resourceNameOf, type Kind } from '../api/kind.ts';
import { coreKinds, servingKinds } from '../api/kinds.ts';
import type { Reconciler } from '../api/reconciler.ts';
import type { Resource } from '../api/resource.ts';
import { podAutoscalerReconciler } from '../autoscaler/index.ts';
import { KnativeError } from '../errors.ts';
import { brokerReconciler, triggerReconciler } from '../eventing/index.ts';
import { localIngressReconciler, servingReconcilers } from '../serving/index.ts';
import { defaultServiceAccountReconciler } from './stand-ins/default-service-account.ts';
import { deploymentReconciler } from './stand-ins/deployment.ts';
import { endpointsReconciler } from './stand-ins/endpoints.ts';
import { unsupportedAutoscalerClassReconciler } from './stand-ins/unsupported-autoscaler-class.ts';

/** Every kind that a host stores. */
export const hostKinds: readonly Kind[] = [...coreKinds, ...servingKinds, ...eventingKinds];

const ofAnyKind = <R extends Resource>(reconciler: Reconciler<R>): Reconciler => reconciler as unknown as Reconciler;

/** Everything that reconciles in a host: Knative's own, and the stand-ins for what a cluster brings along. */
export const hostReconcilers: readonly Reconciler[] = [
  ...servingReconcilers,
  ofAnyKind(localIngressReconciler),
  ofAnyKind(podAutoscalerReconciler),
  ofAnyKind(unsupportedAutoscalerClassReconciler),
  ofAnyKind(brokerReconciler),
  ofAnyKind(triggerReconciler),
  ofAnyKind(deploymentReconciler),
  ofAnyKind(endpointsReconciler),
  ofAnyKind(defaultServiceAccountReconciler),
];

/**
 * The kind of a name as kubectl takes it: `services.serving.knative.dev`, a plural or singular that only one kind has, or a short
 * name. Throws HOST_UNKNOWN_KIND.
 */
export function kindNamed(name: string): Kind {
  const lower = name.toLowerCase();
  const exact = hostKinds.find((kind) => resourceNameOf(kind) === lower);
  if (exact !== undefined) return exact;
  const matching = hostKinds.filter(
    (kind) => kind.plural === lower || kind.singular === lower || kind.shortNames?.includes(lower),
  );
  // A bare "service" is Knative's here, as users of this package mean it.
  const [found] = matching.length > 1 ? matching.filter(({ group }) => group.endsWith('knative.dev')) : matching;
  if (found !== undefined) return found;
  throw new KnativeError('HOST_UNKNOWN_KIND', `no kind is called ${JSON.stringify(name)}`, {
    status: 404,
    hint: `use one of ${hostKinds.map(resourceNameOf).join(', ')}`,
  });
}
