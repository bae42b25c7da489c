import { coreServices, type CoreService } from '../../api/core/core-service.ts';
import { endpoints, type Endpoints } from '../../api/core/endpoints.ts';
import {
  serverlessServices,
  type ServerlessService,
  type ServerlessServiceStatus,
} from '../../api/networking/serverless-service.ts';
import type { Reader, Reconciler } from '../../api/reconciler.ts';
import { isJsonObject } from '../../json.ts';
import { chooseSubset } from '../choose-subset.ts';
import { covers, semanticEqual } from '../equal.ts';
import {
  markActivatorEndpoints,
  markEndpointsNotOwned,
  markEndpointsNotReady,
  markEndpointsReady,
  serverlessServiceConditions,
} from '../lifecycle/serverless-service.ts';
import { isControlledBy, type StringMap } from '../metadata.ts';
import { failPass, runPass, type Pass } from '../pass.ts';
import { systemNamespace } from '../resources/queue-proxy.ts';
import {
  makePrivateService,
  makePublicEndpoints,
  makePublicService,
  privateServiceName,
  servingSubsets,
} from '../resources/serverless-service.ts';

/** Name of the Service, in the system namespace, whose endpoints are the activators. */
export const activatorServiceName = 'activator-service';

type SksPass = Pass<ServerlessServiceStatus>;

/** ServerlessService → a private Service over the pods and a public one whose endpoints are the pods or activators. */
export const serverlessServiceReconciler: Reconciler<ServerlessService> = {
  name: 'serverless-service',
  kind: serverlessServices,
  reconcile(sks, world, nowMs) {
    return runPass<ServerlessServiceStatus>(sks, serverlessServiceConditions, nowMs, {}, (pass) => {
      syncPrivateService(pass, sks, world);
      syncPublicService(pass, sks, world);
      syncPublicEndpoints(pass, sks, world);
    });
  },
};

function syncPrivateService(pass: SksPass, sks: ServerlessService, world: Reader): void {
  const desired = makePrivateService(sks, selectorOf(sks, world));
  const name = privateServiceName(sks.metadata.name);
  const existing = world.get(coreServices, sks.metadata.namespace, name);
  if (existing === undefined) {
    markEndpointsNotReady(pass.conditions, 'CreatingPrivateService');
    pass.create(coreServices, desired);
  } else {
    mustOwn(pass, sks, existing, 'Service');
    if (updatePorts(pass, existing, desired)) markEndpointsNotReady(pass.conditions, 'UpdatingPrivateService');
  }
  pass.status.privateServiceName = name;
}

function syncPublicService(pass: SksPass, sks: ServerlessService, world: Reader): void {
  const desired = makePublicService(sks);
  const existing = world.get(coreServices, sks.metadata.namespace, sks.metadata.name);
  if (existing === undefined) {
    markEndpointsNotReady(pass.conditions, 'CreatingPublicService');
    pass.create(coreServices, desired);
  } else {
    mustOwn(pass, sks, existing, 'Service');
    updatePorts(pass, existing, desired);
  }
  pass.status.serviceName = sks.metadata.name;
}

/** Brings ports and selector back; everything else of a Service's spec belongs to Kubernetes. */
function updatePorts(pass: SksPass, existing: CoreService, desired: CoreService): boolean {
  const { selector } = desired.spec;
  if (
    covers(existing.spec.ports, desired.spec.ports) &&
    existing.spec.ports?.length === desired.spec.ports?.length &&
    semanticEqual(existing.spec.selector, selector)
  ) {
    return false;
  }
  const { selector: _selector, ...rest } = existing.spec;
  pass.update(coreServices, {
    ...existing,
    spec: { ...rest, ports: desired.spec.ports ?? [], ...(selector !== undefined && { selector }) },
  });
  return true;
}

function syncPublicEndpoints(pass: SksPass, sks: ServerlessService, world: Reader): void {
  const { namespace, name } = sks.metadata;
  const activators = world.get(endpoints, systemNamespace, activatorServiceName);
  if (activators === undefined) {
    failPass(`failed to get activator service endpoints: endpoints "${activatorServiceName}" not found`);
  }
  const privateName = privateServiceName(name);
  const pods = world.get(endpoints, namespace, privateName);
  if (pods === undefined) failPass(`failed to get private K8s Service endpoints: endpoints "${privateName}" not found`);

  const hasPods = readyCount(pods) > 0;
  const proxied = readyCount(activators) > 0 && (sks.spec.mode === 'Proxy' || !hasPods);
  const source = proxied ? subsetEndpoints(activators, sks.spec.numActivators ?? 0, name) : pods;

  const existing = world.get(endpoints, namespace, name);
  if (existing === undefined) {
    markEndpointsNotReady(pass.conditions, 'CreatingPublicEndpoints');
    pass.create(endpoints, makePublicEndpoints(sks, source));
  } else {
    mustOwn(pass, sks, existing, 'Endpoints');
    const subsets = servingSubsets(sks, source.subsets);
    if (!semanticEqual(existing.subsets, subsets)) pass.update(endpoints, { ...existing, subsets });
  }
  if (hasPods) markEndpointsReady(pass.conditions);
  else markEndpointsNotReady(pass.conditions, 'NoHealthyBackends');
  markActivatorEndpoints(pass.conditions, !hasPods || sks.spec.mode === 'Proxy');
}

function mustOwn(pass: SksPass, sks: ServerlessService, child: CoreService | Endpoints, kind: 'Service' | 'Endpoints'): void {
  if (isControlledBy(child, sks)) return;
  markEndpointsNotOwned(pass.conditions, kind, child.metadata.name);
  failPass(`SKS: ${sks.metadata.name} does not own ${kind}: ${child.metadata.name}`);
}

/** The labels that the scaled object selects its pods by. */
function selectorOf(sks: ServerlessService, world: Reader): StringMap {
  const { apiVersion = '', kind = '', name = '' } = sks.spec.objectRef;
  const { namespace } = sks.metadata;
  const target = world.getByReference({ apiVersion, kind, namespace, name });
  if (target === undefined) {
    const group = apiVersion.includes('/') ? `.${apiVersion.split('/', 1)[0] ?? ''}` : '';
    failPass(`error retrieving deployment selector spec: ${kind.toLowerCase()}s${group} "${name}" not found`);
  }
  const selector = isJsonObject(target.spec) ? target.spec['selector'] : undefined;
  const labels = isJsonObject(selector) ? selector['matchLabels'] : undefined;
  const texts: Record<string, string> = {};
  if (isJsonObject(labels)) for (const [key, value] of Object.entries(labels)) if (typeof value === 'string') texts[key] = value;
  return texts;
}

function readyCount(source: Endpoints): number {
  return (source.subsets ?? []).reduce((count, subset) => count + (subset.addresses?.length ?? 0), 0);
}

/** Few of many activators for one revision: 0 means all. */
function subsetEndpoints(source: Endpoints, count: number, target: string): Endpoints {
  const addresses = (source.subsets ?? []).flatMap((subset) => (subset.addresses ?? []).map(({ ip }) => ip));
  if (addresses.length === 0 || count === 0 || new Set(addresses).size <= count) return source;
  const chosen = chooseSubset(addresses, count, target);
  const subsets = (source.subsets ?? [])
    .map((subset) => ({ ...subset, addresses: (subset.addresses ?? []).filter(({ ip }) => chosen.has(ip)) }))
    .filter((subset) => subset.addresses.length > 0);
  return { ...source, subsets };
}
