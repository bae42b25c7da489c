import { milliValue, formatQuantity, parseQuantity } from '../../quantity.ts';
import type { HpaMetricInput, HpaMetricSpec, HpaSample } from './hpa-input.ts';
import {
  MetricError,
  replicasForAverage,
  replicasForTotal,
  replicasForTotalPerPod,
  replicasForUtilization,
  type PodMetricContext,
  type Proposal,
} from './replica-calculator.ts';

/** A metric's wish with its name for messages and its entry of `status.currentMetrics`. */
export interface MetricProposal {
  readonly replicas: number;
  readonly name: string;
  readonly status: object;
}

/** Why a metric cannot be used: reason and message of the condition and event, and the whole error. */
export interface MetricFailure {
  readonly reason: string;
  readonly message: string;
  readonly error: string;
}

export interface MetricContext extends PodMetricContext {
  readonly namespace: string;
  readonly statusReplicas: number;
}

/** What one entry of `spec.metrics` asks for. */
export function proposeFor(
  spec: HpaMetricSpec,
  input: HpaMetricInput | undefined,
  context: MetricContext,
): MetricProposal | MetricFailure {
  switch (spec.type) {
    case 'Resource':
      return proposeForResource(spec, input, context);
    case 'ContainerResource':
      return proposeForContainer(spec, input, context);
    case 'Pods':
      return proposeForPods(spec, input, context);
    case 'Object':
      return proposeForObject(spec, input, context);
    case 'External':
      return proposeForExternal(spec, input, context);
    default: {
      const message = `unknown metric source type ${JSON.stringify(spec.type)}`;
      return { reason: 'InvalidMetricSourceType', message, error: message };
    }
  }
}

const attempt = (run: () => MetricProposal, fail: (text: string) => MetricFailure): MetricProposal | MetricFailure => {
  try {
    return run();
  } catch (error) {
    if (error instanceof MetricError) return fail(error.message);
    throw error;
  }
};

function samplesOf(input: HpaMetricInput | undefined, what: string): ReadonlyMap<string, HpaSample> {
  if (input !== undefined && 'error' in input) throw new MetricError(`${what}: ${input.error}`);
  return input !== undefined && 'pods' in input ? input.pods : new Map<string, HpaSample>();
}

const milliOf = (quantity: string | number | undefined): number => {
  const parsed = quantity === undefined ? undefined : parseQuantity(quantity);
  return parsed === undefined ? 0 : milliValue(parsed);
};

// Above 2^53 a number no longer tells the exact amount; what Kubernetes can hold at most is shown then.
function quantityText(milli: number, format: 'decimal' | 'binary' = 'decimal'): string {
  const bounded = milli >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(milli);
  return formatQuantity({ nanos: bounded * 1_000_000n, format });
}

const formatOf = (resource: string): 'decimal' | 'binary' => (resource === 'memory' ? 'binary' : 'decimal');

const noResourceTarget =
  'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set';

type ResourceTarget = NonNullable<HpaMetricSpec['resource']>['target'];

function proposeForAnyResource(
  resource: string,
  target: ResourceTarget,
  input: HpaMetricInput | undefined,
  context: MetricContext,
  container?: string,
): { proposal: Proposal; current: object } {
  const samples = samplesOf(input, `unable to get metrics for resource ${resource}`);
  if (target.averageValue !== undefined) {
    const proposal = replicasForAverage(context, samples, { resource, average: milliOf(target.averageValue) });
    return { proposal, current: { averageValue: quantityText(proposal.average, formatOf(resource)) } };
  }
  const percent = target.averageUtilization;
  if (percent === undefined) throw new MetricError(noResourceTarget);
  const proposal = replicasForUtilization(context, samples, {
    resource,
    percent,
    ...(container === undefined ? {} : { container }),
  });
  const averageValue = quantityText(proposal.average, formatOf(resource));
  return { proposal, current: { averageUtilization: proposal.utilization, averageValue } };
}

const resourceFailure = (
  resource: string,
  target: ResourceTarget,
  reason: string,
  text: string,
  prefix: string,
): MetricFailure => {
  const what = target.averageValue === undefined ? 'utilization' : 'usage';
  const message = text === noResourceTarget ? text : `failed to get ${resource} ${what}: ${text}`;
  return { reason, message, error: `${prefix}: ${message}` };
};

const resourceName = (base: string, target: ResourceTarget): string =>
  target.averageValue === undefined ? `${base} utilization (percentage of request)` : base;

function proposeForResource(
  spec: HpaMetricSpec,
  input: HpaMetricInput | undefined,
  context: MetricContext,
): MetricProposal | MetricFailure {
  const { name, target } = spec.resource ?? { name: '', target: { type: '' } };
  return attempt(
    () => {
      const { proposal, current } = proposeForAnyResource(name, target, input, context);
      const status = { type: 'Resource', resource: { name, current } };
      return { replicas: proposal.replicas, name: resourceName(`${name} resource`, target), status };
    },
    (text) => resourceFailure(name, target, 'FailedGetResourceMetric', text, `failed to get ${name} resource metric value`),
  );
}

function proposeForContainer(
  spec: HpaMetricSpec,
  input: HpaMetricInput | undefined,
  context: MetricContext,
): MetricProposal | MetricFailure {
  const { name, container, target } = spec.containerResource ?? { name: '', container: '', target: { type: '' } };
  return attempt(
    () => {
      const { proposal, current } = proposeForAnyResource(name, target, input, context, container);
      const status = { type: 'ContainerResource', containerResource: { name, container, current } };
      // Only a utilization says that it is the container's; an average has the resource's name alone.
      const base = target.averageValue === undefined ? `${name} container resource` : `${name} resource`;
      return { replicas: proposal.replicas, name: resourceName(base, target), status };
    },
    (text) =>
      resourceFailure(
        name,
        target,
        'FailedGetContainerResourceMetric',
        text,
        `failed to get ${container} container metric value`,
      ),
  );
}

function proposeForPods(
  spec: HpaMetricSpec,
  input: HpaMetricInput | undefined,
  context: MetricContext,
): MetricProposal | MetricFailure {
  const { metric, target } = spec.pods ?? { metric: { name: '' }, target: { type: '' } };
  return attempt(
    () => {
      const samples = samplesOf(input, `unable to get metric ${metric.name}`);
      const proposal = replicasForAverage(context, samples, { resource: '', average: milliOf(target.averageValue) });
      const status = { type: 'Pods', pods: { metric, current: { averageValue: quantityText(proposal.average) } } };
      return { replicas: proposal.replicas, name: `pods metric ${metric.name}`, status };
    },
    (text) => ({ reason: 'FailedGetPodsMetric', message: text, error: `failed to get pods metric value: ${text}` }),
  );
}

function proposeForObject(
  spec: HpaMetricSpec,
  input: HpaMetricInput | undefined,
  context: MetricContext,
): MetricProposal | MetricFailure {
  const { metric, target, describedObject } = spec.object ?? {
    metric: { name: '' },
    target: { type: '' },
    describedObject: { kind: '', name: '' },
  };
  const perPod = target.type === 'AverageValue';
  return attempt(
    () => {
      if (input !== undefined && 'error' in input) {
        // Kind, namespace and name come before the error and fill the places of the text in upstream's odd order.
        throw new MetricError(
          `unable to get metric ${metric.name}: ${describedObject.kind} on ${context.namespace} ${describedObject.name}/${input.error}`,
        );
      }
      const total = input !== undefined && 'value' in input ? input.value : 0;
      const proposal = perPod
        ? replicasForTotalPerPod(total, milliOf(target.averageValue), context.statusReplicas, context.tolerances)
        : replicasForTotal(total, milliOf(target.value), context);
      const current = perPod ? { averageValue: quantityText(proposal.average) } : { value: quantityText(total) };
      const status = { type: 'Object', object: { metric, describedObject, current } };
      const name = perPod
        ? `external metric ${metric.name}(${selectorText(metric.selector)})`
        : `${describedObject.kind} metric ${metric.name}`;
      return { replicas: proposal.replicas, name, status };
    },
    (text) => ({
      reason: 'FailedGetObjectMetric',
      message: text,
      error: `failed to get object metric value: ${perPod ? `failed to get ${metric.name} object metric: ` : ''}${text}`,
    }),
  );
}

function proposeForExternal(
  spec: HpaMetricSpec,
  input: HpaMetricInput | undefined,
  context: MetricContext,
): MetricProposal | MetricFailure {
  const { metric, target } = spec.external ?? { metric: { name: '' }, target: { type: '' } };
  const perPod = target.averageValue !== undefined;
  const selector = selectorText(metric.selector);
  return attempt(
    () => {
      if (input !== undefined && 'error' in input) {
        throw new MetricError(`unable to get external metric ${context.namespace}/${metric.name}/${selector}: ${input.error}`);
      }
      const total = input !== undefined && 'values' in input ? input.values.reduce((sum, value) => sum + value, 0) : 0;
      const proposal = perPod
        ? replicasForTotalPerPod(total, milliOf(target.averageValue), context.statusReplicas, context.tolerances)
        : replicasForTotal(total, milliOf(target.value), context);
      const current = perPod ? { averageValue: quantityText(proposal.average) } : { value: quantityText(total) };
      const status = { type: 'External', external: { metric, current } };
      return { replicas: proposal.replicas, name: `external metric ${metric.name}(${selector})`, status };
    },
    (text) => ({
      reason: 'FailedGetExternalMetric',
      message: text,
      error:
        `failed to get ${metric.name} external metric value: ` +
        `${perPod ? `failed to get ${metric.name} external metric` : `failed to get external metric ${metric.name}`}: ${text}`,
    }),
  );
}

type Selector = NonNullable<NonNullable<HpaMetricSpec['external']>['metric']['selector']>;

// A selector as Go prints the structure.
function selectorText(selector: Selector | undefined): string {
  if (selector === undefined) return 'nil';
  const labels = Object.entries(selector.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}: ${value},`);
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${(values ?? []).join(' ')}],},`,
  );
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`;
}
