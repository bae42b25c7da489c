import { namespaces, type Namespace } from '../../api/core/namespace.ts';
import { serviceAccounts } from '../../api/core/service-account.ts';
import type { Plan, Reconciler } from '../../api/reconciler.ts';

const defaultName = 'default';

/** Namespace → its ServiceAccount `default`: what kube-controller-manager's service account controller does on a cluster. */
export const defaultServiceAccountReconciler: Reconciler<Namespace> = {
  name: 'default-service-account',
  kind: namespaces,
  reconcile({ metadata }, world): Plan {
    if (world.get(serviceAccounts, metadata.name, defaultName) !== undefined) return { writes: [] };
    const resource = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: defaultName, namespace: metadata.name } };
    return { writes: [{ op: 'create', kind: serviceAccounts, resource }] };
  },
};
