import { canonicalQuantity, parseQuantity } from '../../quantity.ts';
import type { HorizontalPodAutoscaler, MetricSpec } from './horizontal-pod-autoscaler.ts';

type Spec = HorizontalPodAutoscaler['spec'];
type Rules = NonNullable<NonNullable<Spec['behavior']>['scaleUp']>;
type Target = NonNullable<MetricSpec['resource']>['target'];
type Identifier = NonNullable<MetricSpec['pods']>['metric'];

const stabilizationWindowSecondsMax = 3_600;
const periodSecondsMax = 1_800;

/** The spec with Kubernetes' defaults: one replica at least, 80 % CPU, and complete scaling rules once there are any. */
export function defaultHpaSpec(spec: Spec): Spec {
  const behavior = spec.behavior;
  return {
    ...spec,
    minReplicas: spec.minReplicas ?? 1,
    metrics:
      spec.metrics === undefined || spec.metrics.length === 0
        ? [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
        : spec.metrics.map(canonicalMetric),
    ...(behavior === undefined
      ? {}
      : {
          behavior: {
            ...behavior,
            scaleUp: {
              stabilizationWindowSeconds: 0,
              selectPolicy: 'Max',
              policies: [
                { type: 'Pods', value: 4, periodSeconds: 15 },
                { type: 'Percent', value: 100, periodSeconds: 15 },
              ],
              ...canonicalRules(behavior.scaleUp),
            },
            // The window of scaling down stays open here: the controller's own setting fills it in.
            scaleDown: {
              selectPolicy: 'Max',
              policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
              ...canonicalRules(behavior.scaleDown),
            },
          },
        }),
  };
}

const canonical = (quantity: string | number): string => canonicalQuantity(quantity) ?? String(quantity);

// Quantities are kept in the text that the API server prints.
function canonicalRules(rules: Rules | undefined): Rules {
  return rules?.tolerance === undefined ? { ...rules } : { ...rules, tolerance: canonical(rules.tolerance) };
}

function canonicalTarget(target: Target): Target {
  return {
    ...target,
    ...(target.value === undefined ? {} : { value: canonical(target.value) }),
    ...(target.averageValue === undefined ? {} : { averageValue: canonical(target.averageValue) }),
  };
}

function canonicalMetric(metric: MetricSpec): MetricSpec {
  const { object, pods, resource, containerResource, external } = metric;
  return {
    ...metric,
    ...(object === undefined ? {} : { object: { ...object, target: canonicalTarget(object.target) } }),
    ...(pods === undefined ? {} : { pods: { ...pods, target: canonicalTarget(pods.target) } }),
    ...(resource === undefined ? {} : { resource: { ...resource, target: canonicalTarget(resource.target) } }),
    ...(containerResource === undefined
      ? {}
      : { containerResource: { ...containerResource, target: canonicalTarget(containerResource.target) } }),
    ...(external === undefined ? {} : { external: { ...external, target: canonicalTarget(external.target) } }),
  };
}

/** Errors of a defaulted spec in upstream's order and words, empty when it is valid. Scale to zero counts as switched off. */
export function validateHpaSpec(spec: Spec): string[] {
  const { minReplicas, maxReplicas } = spec;
  const errors: string[] = [];
  if (minReplicas !== undefined && minReplicas < 1) {
    errors.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'));
  }
  if (maxReplicas < 1) errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  errors.push(...validateReference(spec.scaleTargetRef, 'spec.scaleTargetRef', true), ...validateMetrics(spec));
  if (spec.behavior?.scaleUp !== undefined) errors.push(...validateRules(spec.behavior.scaleUp, 'spec.behavior.scaleUp'));
  if (spec.behavior?.scaleDown !== undefined) errors.push(...validateRules(spec.behavior.scaleDown, 'spec.behavior.scaleDown'));
  return errors;
}

const shown = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value));
const invalid = (path: string, value: unknown, detail: string): string => `${path}: Invalid value: ${shown(value)}: ${detail}`;
const required = (path: string, detail = ''): string => `${path}: Required value${detail === '' ? '' : `: ${detail}`}`;
const forbidden = (path: string, detail: string): string => `${path}: Forbidden: ${detail}`;
const unsupported = (path: string, value: string, supported: readonly string[]): string =>
  `${path}: Unsupported value: ${shown(value)}: supported values: ${supported.map(shown).join(', ')}`;

function pathSegmentErrors(path: string, value: string): string[] {
  if (value === '.' || value === '..') return [invalid(path, value, `may not be '${value}'`)];
  return ['/', '%'].filter((char) => value.includes(char)).map((char) => invalid(path, value, `may not contain '${char}'`));
}

function validateReference(
  reference: { readonly kind: string; readonly name: string; readonly apiVersion?: string },
  path: string,
  needsGroup: boolean,
): string[] {
  const part = (name: 'kind' | 'name'): string[] =>
    reference[name] === '' ? [required(`${path}.${name}`)] : pathSegmentErrors(`${path}.${name}`, reference[name]);
  const apiVersion = reference.apiVersion ?? '';
  const slashes = apiVersion.split('/').length - 1;
  const version =
    slashes > 1
      ? [invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
      : needsGroup && (slashes === 0 || apiVersion.startsWith('/'))
        ? [invalid(`${path}.apiVersion`, apiVersion, 'apiVersion must specify API group')]
        : [];
  return [...part('kind'), ...part('name'), ...version];
}

function validateMetrics(spec: Spec): string[] {
  const metrics = spec.metrics ?? [];
  const errors = metrics.flatMap((metric, index) => validateMetric(metric, `spec.metrics[${index}]`));
  if (spec.minReplicas === 0 && !metrics.some(({ type }) => type === 'Object' || type === 'External')) {
    errors.push(
      forbidden('spec.metrics', 'must specify at least one Object or External metric to support scaling to zero replicas'),
    );
  }
  return errors;
}

const sourceTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'] as const;
type SourceField = 'object' | 'external' | 'pods' | 'resource' | 'containerResource';
const sourceFields: readonly SourceField[] = ['object', 'external', 'pods', 'resource', 'containerResource'];
const fieldOfType: Readonly<Record<string, SourceField>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
};

function validateMetric(metric: MetricSpec, path: string): string[] {
  const errors: string[] = [];
  const typePath = `${path}.type`;
  const expected = fieldOfType[metric.type];
  if (metric.type === '') errors.push(required(typePath, 'must specify a metric source type'));
  if (expected === undefined) {
    // Upstream reports it twice, from two checks.
    errors.push(unsupported(typePath, metric.type, sourceTypes), unsupported(typePath, metric.type, sourceTypes));
  } else if (metric[expected] === undefined) {
    errors.push(required(`${path}.${expected}`, 'must populate information for the given metric source'));
  }
  const present = sourceFields.filter((field) => metric[field] !== undefined);
  const first = present[0];
  if (first !== undefined) errors.push(...validateSource(metric, first, `${path}.${first}`));
  if (present.length > 1) {
    const others = present.filter((field) => field !== expected);
    errors.push(...others.map((field) => forbidden(`${path}.${field}`, 'must populate the given metric source only')));
  }
  return errors;
}

function validateSource(metric: MetricSpec, field: SourceField, path: string): string[] {
  switch (field) {
    case 'object':
      return metric.object === undefined ? [] : validateObject(metric.object, path);
    case 'external':
      return metric.external === undefined ? [] : validateExternal(metric.external, path);
    case 'pods':
      return metric.pods === undefined ? [] : validatePods(metric.pods, path);
    case 'resource':
      return metric.resource === undefined ? [] : validateResource(metric.resource, path);
    case 'containerResource':
      return metric.containerResource === undefined ? [] : validateResource(metric.containerResource, path);
  }
}

function validateObject(source: NonNullable<MetricSpec['object']>, path: string): string[] {
  const { target } = source;
  const isUnset = target.value === undefined && target.averageValue === undefined;
  return [
    ...validateReference(source.describedObject, `${path}.describedObject`, false),
    ...validateIdentifier(source.metric, `${path}.metric`),
    ...validateTarget(target, `${path}.target`),
    ...(isUnset ? [required(`${path}.target.averageValue`, 'must set either a target value or averageValue')] : []),
  ];
}

function validateExternal(source: NonNullable<MetricSpec['external']>, path: string): string[] {
  const { value, averageValue } = source.target;
  const errors = [...validateIdentifier(source.metric, `${path}.metric`), ...validateTarget(source.target, `${path}.target`)];
  if (value === undefined && averageValue === undefined) {
    errors.push(required(`${path}.target.averageValue`, 'must set either a target value for metric or a per-pod target'));
  }
  if (value !== undefined && averageValue !== undefined) {
    errors.push(forbidden(`${path}.target.value`, 'may not set both a target value for metric and a per-pod target'));
  }
  return errors;
}

function validatePods(source: NonNullable<MetricSpec['pods']>, path: string): string[] {
  const { averageValue } = source.target;
  const errors = [...validateIdentifier(source.metric, `${path}.metric`), ...validateTarget(source.target, `${path}.target`)];
  if (averageValue === undefined || !isPositive(averageValue)) {
    errors.push(required(`${path}.target.averageValue`, 'must specify a positive target averageValue'));
  }
  return errors;
}

function validateResource(source: { name: string; target: Target; container?: string }, path: string): string[] {
  const { averageUtilization, averageValue } = source.target;
  const errors: string[] = [];
  if (source.name === '') errors.push(required(`${path}.name`, 'must specify a resource name'));
  if (source.container === '') errors.push(required(`${path}.container`, 'must specify a container'));
  errors.push(...validateTarget(source.target, `${path}.target`));
  if (averageUtilization === undefined && averageValue === undefined) {
    errors.push(required(`${path}.target.averageUtilization`, 'must set either a target raw value or a target utilization'));
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    errors.push(forbidden(`${path}.target.averageValue`, 'may not set both a target raw value and a target utilization'));
  }
  return errors;
}

function isPositive(quantity: string | number): boolean {
  return (parseQuantity(quantity)?.nanos ?? 0n) > 0n;
}

function validateIdentifier(metric: Identifier, path: string): string[] {
  return metric.name === ''
    ? [required(`${path}.name`, 'must specify a metric name')]
    : pathSegmentErrors(`${path}.name`, metric.name);
}

function validateTarget(target: Target, path: string): string[] {
  const errors: string[] = [];
  if (target.type === '') errors.push(required(`${path}.type`, 'must specify a metric target type'));
  if (!['Utilization', 'Value', 'AverageValue'].includes(target.type)) {
    errors.push(invalid(`${path}.type`, target.type, 'must be either Utilization, Value, or AverageValue'));
  }
  for (const field of ['value', 'averageValue'] as const) {
    const quantity = target[field];
    if (quantity !== undefined && !isPositive(quantity)) {
      errors.push(invalid(`${path}.${field}`, String(quantity), 'must be positive'));
    }
  }
  if (target.averageUtilization !== undefined && target.averageUtilization < 1) {
    errors.push(invalid(`${path}.averageUtilization`, target.averageUtilization, 'must be greater than 0'));
  }
  return errors;
}

function validateRules(rules: Rules, path: string): string[] {
  const errors: string[] = [];
  const windowSeconds = rules.stabilizationWindowSeconds;
  const windowPath = `${path}.stabilizationWindowSeconds`;
  if (windowSeconds !== undefined && windowSeconds < 0) {
    errors.push(invalid(windowPath, windowSeconds, 'must be greater than or equal to zero'));
  }
  if (windowSeconds !== undefined && windowSeconds > stabilizationWindowSecondsMax) {
    errors.push(invalid(windowPath, windowSeconds, `must be less than or equal to ${stabilizationWindowSecondsMax}`));
  }
  if (rules.selectPolicy !== undefined && !['Disabled', 'Max', 'Min'].includes(rules.selectPolicy)) {
    errors.push(unsupported(`${path}.selectPolicy`, rules.selectPolicy, ['Disabled', 'Max', 'Min']));
  }
  const policies = rules.policies ?? [];
  if (policies.length === 0) errors.push(required(`${path}.policies`, 'must specify at least one Policy'));
  policies.forEach((policy, index) => errors.push(...validatePolicy(policy, `${path}.policies[${index}]`)));
  if (rules.tolerance !== undefined && (parseQuantity(rules.tolerance)?.nanos ?? 0n) < 0n) {
    errors.push(invalid(`${path}.tolerance`, String(rules.tolerance), 'must be greater than or equal to 0'));
  }
  return errors;
}

function validatePolicy(policy: NonNullable<Rules['policies']>[number], path: string): string[] {
  const errors: string[] = [];
  const { type, value, periodSeconds } = policy;
  if (type !== 'Pods' && type !== 'Percent') errors.push(unsupported(`${path}.type`, type, ['Percent', 'Pods']));
  if (value <= 0) errors.push(invalid(`${path}.value`, value, 'must be greater than zero'));
  if (periodSeconds <= 0) errors.push(invalid(`${path}.periodSeconds`, periodSeconds, 'must be greater than zero'));
  if (periodSeconds > periodSecondsMax) {
    errors.push(invalid(`${path}.periodSeconds`, periodSeconds, `must be less than or equal to ${periodSecondsMax}`));
  }
  return errors;
}
