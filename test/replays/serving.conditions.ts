// Replays of the status methods: the upstream method names, mapped to ours.
import { manageConditions, livingConditionSet, type ConditionManager, type ConditionSet } from '../../src/api/conditions.ts';
import {
  autoscalingAnnotations as keys,
  findAnnotation,
  type AnnotationSpellings,
} from '../../src/api/autoscaling/annotation-keys.ts';
import { parseGoDurationValue, parseGoFloat, parseGoInt } from '../../src/api/autoscaling/go-values.ts';
import { defaultAutoscalerConfig } from '../../src/api/autoscaling/config-autoscaler.ts';
import type { Condition } from '../../src/api/resource.ts';
import { autoscalerClassOf, metricOf, scaleBoundsOf, type ScalingInput } from '../../src/autoscaler/index.ts';
import * as certificate from '../../src/serving/lifecycle/route.ts';
import * as configuration from '../../src/serving/lifecycle/configuration.ts';
import * as domainMapping from '../../src/serving/lifecycle/domain-mapping.ts';
import * as ingress from '../../src/serving/lifecycle/ingress.ts';
import * as podAutoscaler from '../../src/serving/lifecycle/pod-autoscaler.ts';
import * as revision from '../../src/serving/lifecycle/revision.ts';
import * as route from '../../src/serving/lifecycle/route.ts';
import * as service from '../../src/serving/lifecycle/service.ts';
import * as serverlessService from '../../src/serving/lifecycle/serverless-service.ts';
import { differencesOf, type ReplayCase } from './replay.ts';
import { normalize } from './serving.store.ts';

type Json = Record<string, unknown>;
type Method = (conditions: ConditionManager, args: never[], status: Json) => unknown;

const readyOf = (status: unknown): Condition | undefined =>
  (status as { conditions?: Condition[] }).conditions?.find(({ type }) => type === 'Ready');

/** Copies the named fields of a child's status. */
function inherit(status: Json, from: unknown, fields: readonly string[]): void {
  for (const field of fields) {
    const value = (from as Json)[field];
    if (value === undefined) delete status[field];
    else status[field] = value;
  }
}

const byConditions =
  (mark: (conditions: ConditionManager, ...args: never[]) => void): Method =>
  (conditions, args) =>
    mark(conditions, ...args);

const kinds: Record<string, { readonly set: ConditionSet; readonly methods: Record<string, Method> }> = {
  Service: {
    set: service.serviceConditions,
    methods: {
      MarkConfigurationNotOwned: byConditions(service.markConfigurationNotOwned),
      MarkRouteNotOwned: byConditions(service.markRouteNotOwned),
      MarkConfigurationNotReconciled: byConditions(service.markConfigurationNotReconciled),
      MarkRouteNotReconciled: byConditions(service.markRouteNotReconciled),
      MarkRouteNotYetReady: byConditions(service.markRouteNotYetReady),
      MarkRevisionNameTaken: byConditions(service.markRevisionNameTaken),
      PropagateConfigurationStatus: (conditions, [child], status) => {
        inherit(status, child, ['latestCreatedRevisionName', 'latestReadyRevisionName']);
        service.propagateReady(conditions, 'ConfigurationsReady', readyOf(child));
      },
      PropagateRouteStatus: (conditions, [child], status) => {
        inherit(status, child, ['url', 'address', 'traffic']);
        service.propagateReady(conditions, 'RoutesReady', readyOf(child));
      },
    },
  },
  Configuration: {
    set: configuration.configurationConditions,
    methods: {
      SetLatestCreatedRevisionName: (conditions, [name], status) =>
        configuration.setLatestCreatedRevisionName(conditions, status, name as unknown as string),
      SetLatestReadyRevisionName: (conditions, [name], status) =>
        configuration.setLatestReadyRevisionName(conditions, status, name as unknown as string),
      MarkLatestCreatedFailed: byConditions(configuration.markLatestCreatedFailed),
      MarkRevisionCreationFailed: byConditions(configuration.markRevisionCreationFailed),
      MarkLatestReadyDeleted: (conditions, _args, status) => configuration.markLatestReadyDeleted(conditions, status),
    },
  },
  Revision: {
    set: revision.revisionConditions,
    methods: {
      ...marks('Active'),
      ...marks('ContainerHealthy'),
      ...marks('ResourcesAvailable'),
      PropagateDeploymentStatus: (conditions, [status]) =>
        revision.propagateDeploymentStatus(conditions, status as unknown as revision.DeploymentConditions, 0),
      PropagateAutoscalerStatus: (conditions, [pa], status) =>
        revision.propagateAutoscalerStatus(conditions, status, pa as unknown as revision.AutoscalerState),
    },
  },
  Route: {
    set: route.routeConditions,
    methods: {
      MarkServiceNotOwned: byConditions(route.markServiceNotOwned),
      MarkEndpointNotOwned: byConditions(route.markEndpointNotOwned),
      MarkIngressRolloutInProgress: byConditions(route.markIngressRolloutInProgress),
      MarkIngressNotConfigured: byConditions(route.markIngressNotConfigured),
      MarkTrafficAssigned: byConditions(route.markTrafficAssigned),
      MarkUnknownTrafficError: byConditions(route.markUnknownTrafficError),
      MarkRevisionTargetTrafficError: byConditions(route.markTrafficError),
      MarkConfigurationNotReady: byConditions(route.markConfigurationNotReady),
      MarkConfigurationFailed: byConditions(route.markConfigurationFailed),
      MarkRevisionNotReady: byConditions(route.markRevisionNotReady),
      MarkRevisionFailed: byConditions(route.markRevisionFailed),
      MarkRevisionNotOwned: byConditions(route.markRevisionNotOwned),
      MarkMissingTrafficTarget: byConditions(route.markMissingTrafficTarget),
      MarkCertificateProvisionFailed: byConditions(certificate.markCertificateProvisionFailed),
      MarkCertificateReady: byConditions(certificate.markCertificateReady),
      MarkCertificateNotReady: byConditions(certificate.markCertificateNotReady),
      MarkCertificateNotOwned: byConditions(certificate.markCertificateNotOwned),
      MarkTLSNotEnabled: byConditions(route.markTlsNotEnabled),
      MarkHTTPDowngrade: byConditions(route.markHttpDowngrade),
      PropagateIngressStatus: byConditions(route.propagateIngressStatus),
    },
  },
  PodAutoscaler: {
    set: podAutoscaler.podAutoscalerConditions,
    methods: {
      MarkActive: (conditions) => conditions.markTrue('Active'),
      MarkActivating: (conditions, [reason, message]) => conditions.markUnknown('Active', reason, message),
      MarkInactive: (conditions, [reason, message]) => conditions.markFalse('Active', reason, message),
      MarkScaleTargetInitialized: (conditions) => conditions.markTrue('ScaleTargetInitialized'),
      MarkSKSReady: (conditions) => conditions.markTrue('SKSReady'),
      MarkSKSNotReady: byConditions(podAutoscaler.markSksNotReady),
      MarkResourceNotOwned: byConditions(podAutoscaler.markResourceNotOwned),
      MarkResourceFailedCreation: (conditions, [kind, name]) =>
        conditions.markFalse('Active', 'FailedCreate', `Failed to create ${String(kind)} "${String(name)}".`),
    },
  },
  ServerlessService: {
    set: serverlessService.serverlessServiceConditions,
    methods: {
      MarkEndpointsReady: byConditions(serverlessService.markEndpointsReady),
      MarkEndpointsNotOwned: byConditions(serverlessService.markEndpointsNotOwned),
      MarkEndpointsNotReady: byConditions(serverlessService.markEndpointsNotReady),
      MarkActivatorEndpointsPopulated: (conditions) => serverlessService.markActivatorEndpoints(conditions, true),
      MarkActivatorEndpointsRemoved: (conditions) => serverlessService.markActivatorEndpoints(conditions, false),
    },
  },
  Metric: {
    set: livingConditionSet(),
    methods: {
      MarkMetricReady: (conditions) => conditions.markTrue('Ready'),
      MarkMetricNotReady: (conditions, [reason, message]) => conditions.markUnknown('Ready', reason, message),
      MarkMetricFailed: (conditions, [reason, message]) => conditions.markFalse('Ready', reason, message),
    },
  },
  Ingress: {
    set: ingress.ingressConditions,
    methods: {
      MarkNetworkConfigured: byConditions(ingress.markNetworkConfigured),
      MarkResourceNotOwned: byConditions(ingress.markResourceNotOwned),
      MarkLoadBalancerReady: (conditions, [publicLbs, privateLbs], status) => {
        status['publicLoadBalancer'] = { ingress: publicLbs };
        status['privateLoadBalancer'] = { ingress: privateLbs };
        ingress.markLoadBalancerReady(conditions);
      },
      MarkLoadBalancerNotReady: byConditions(ingress.markLoadBalancerNotReady),
      MarkLoadBalancerFailed: byConditions(ingress.markLoadBalancerFailed),
      MarkIngressNotReady: byConditions(ingress.markIngressNotReady),
    },
  },
  DomainMapping: {
    set: domainMapping.domainMappingConditions,
    methods: {
      MarkTLSNotEnabled: byConditions(route.markTlsNotEnabled),
      MarkCertificateNotRequired: byConditions(domainMapping.markCertificateNotRequired),
      MarkCertificateReady: byConditions(route.markCertificateReady),
      MarkCertificateNotReady: byConditions(domainMapping.markCertificateNotReady),
      MarkCertificateNotOwned: byConditions(route.markCertificateNotOwned),
      MarkCertificateProvisionFailed: byConditions(domainMapping.markCertificateProvisionFailed),
      MarkHTTPDowngrade: byConditions(route.markHttpDowngrade),
      MarkIngressNotConfigured: byConditions(route.markIngressNotConfigured),
      MarkDomainClaimed: byConditions(domainMapping.markDomainClaimed),
      MarkDomainClaimNotOwned: byConditions(domainMapping.markDomainClaimNotOwned),
      MarkDomainClaimFailed: byConditions(domainMapping.markDomainClaimFailed),
      MarkReferenceResolved: byConditions(domainMapping.markReferenceResolved),
      MarkReferenceNotResolved: byConditions(domainMapping.markReferenceNotResolved),
      PropagateIngressStatus: byConditions(route.propagateIngressStatus),
    },
  },
};

function marks(type: string): Record<string, Method> {
  return {
    [`Mark${type}True`]: (conditions) => conditions.markTrue(type),
    [`Mark${type}False`]: (conditions, [reason, message]) => conditions.markFalse(type, reason, message),
    [`Mark${type}Unknown`]: (conditions, [reason, message]) => conditions.markUnknown(type, reason, message),
  };
}

interface ConditionCase {
  readonly id: string;
  readonly kind: string;
  readonly input?: Json;
  readonly steps: readonly { readonly method: string; readonly args?: unknown[]; readonly result: Json }[];
}

export function conditionCases(cases: unknown[]): ReplayCase[] {
  return (cases as ConditionCase[]).map((item) => ({
    file: 'conditions.json',
    id: item.id,
    expected: item.steps.map(({ result }) => shown(result['status'], result['returned'])),
    check: (wanted: unknown) => differencesOf(wanted, run(item)),
  }));
}

function shown(status: unknown, returned: unknown): unknown {
  return { status: normalize(status), ...(returned !== undefined && { returned }) };
}

function run({ kind, input, steps }: ConditionCase): unknown[] {
  const entry = kinds[kind];
  if (entry === undefined) throw new Error(`unknown kind ${kind}`);
  const { conditions: stored, ...status } = structuredClone((input?.['status'] ?? {}) as Json);
  const conditions = manageConditions(entry.set, stored as Condition[] | undefined, 1_700_000_000_000);
  return steps.map(({ method, args = [] }) => {
    let returned: unknown;
    if (method === 'InitializeConditions') conditions.initialize();
    else {
      const call = entry.methods[method] ?? getters[method];
      if (call === undefined) throw new Error(`unknown method ${kind}.${method}`);
      returned = call(conditions, args as never[], entry.methods[method] === undefined ? (input ?? {}) : status);
    }
    return shown({ ...status, conditions: conditions.conditions }, entry.methods[method] === undefined ? returned : undefined);
  });
}

const annotationsOf = (input: Json): Readonly<Record<string, string>> | undefined =>
  (input['metadata'] as { annotations?: Record<string, string> } | undefined)?.annotations;

const text = (input: Json, spellings: AnnotationSpellings): string | undefined =>
  findAnnotation(annotationsOf(input), spellings)?.value;

const scaling = (input: Json): ScalingInput =>
  ({ annotations: annotationsOf(input), ...(input['spec'] as object | undefined) }) as ScalingInput;

/** A number and whether it could be read, in one: the recordings show 0 for what cannot. */
const number =
  (spellings: AnnotationSpellings, parse: (value: string) => number | undefined): Method =>
  (_conditions, _args, input) => {
    const value = text(input, spellings);
    return value === undefined ? 0 : (parse(value) ?? 0);
  };

const float = (value: string): number | undefined => {
  const parsed = parseGoFloat(value);
  return 'value' in parsed ? parsed.value : undefined;
};
const integer = (value: string): number | undefined => {
  const parsed = parseGoInt(value, 32);
  return 'value' in parsed ? parsed.value : undefined;
};
const nanoseconds = (value: string): number | undefined => {
  const parsed = parseGoDurationValue(value);
  return 'ms' in parsed ? parsed.ms * 1e6 : undefined;
};

/** Getters of a PodAutoscaler's annotations. */
const getters: Record<string, Method> = {
  Class: (_conditions, _args, input) => autoscalerClassOf(scaling(input)),
  Metric: (_conditions, _args, input) => metricOf(scaling(input)),
  Target: number(keys.target, float),
  TargetUtilization: number(keys.targetUtilizationPercentage, (value) => {
    const percentage = float(value);
    return percentage === undefined ? undefined : percentage / 100;
  }),
  TargetBC: number(keys.targetBurstCapacity, float),
  Window: number(keys.window, nanoseconds),
  ScaleDownDelay: number(keys.scaleDownDelay, nanoseconds),
  ScaleToZeroPodRetention: number(keys.scaleToZeroPodRetentionPeriod, nanoseconds),
  PanicWindowPercentage: number(keys.panicWindowPercentage, float),
  PanicThresholdPercentage: number(keys.panicThresholdPercentage, float),
  InitialScale: number(keys.initialScale, integer),
  ActivationScale: number(keys.activationScale, integer),
  ScaleBounds: (_conditions, _args, input) => {
    const { min, max } = scaleBoundsOf(scaling(input), defaultAutoscalerConfig());
    return [min, max];
  },
};
