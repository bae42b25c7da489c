import { validateLocalReference } from '../core/object-reference-validation.ts';
import { also, invalidValue, missingField, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import { goEqual } from '../go-equal.ts';
import type { AdmissionContext } from '../kind.ts';
import { validateScaledMetadata } from '../serving/metadata-validation.ts';
import { validateContainerConcurrency } from '../serving/revision-validation.ts';
import { servingConfigOf } from '../serving/serving-config.ts';
import { autoscalingAnnotations, hpaClass, kpaClass } from './annotation-keys.ts';
import type { Metric } from './metric.ts';
import type { PodAutoscaler } from './pod-autoscaler.ts';

const [classKey] = autoscalingAnnotations.class;
const [metricKey] = autoscalingAnnotations.metric;

const defaultMetrics: Readonly<Record<string, string>> = { [kpaClass]: 'concurrency', [hpaClass]: 'cpu' };

/** The class is the configured one, the metric the usual one of the class. */
export function defaultPodAutoscaler(autoscaler: PodAutoscaler, context: AdmissionContext): PodAutoscaler {
  const given = autoscaler.metadata.annotations ?? {};
  if (Object.hasOwn(given, classKey) && Object.hasOwn(given, metricKey)) return autoscaler;
  const className = given[classKey] ?? servingConfigOf(context).autoscaler.podAutoscalerClass;
  const annotations = {
    ...given,
    [classKey]: className,
    [metricKey]: given[metricKey] ?? defaultMetrics[className] ?? '',
  };
  return { ...autoscaler, metadata: { ...autoscaler.metadata, annotations } };
}

export function validatePodAutoscaler(autoscaler: PodAutoscaler, context: AdmissionContext): FieldErrors {
  const { autoscaler: config, defaults } = servingConfigOf(context);
  const { spec } = autoscaler;
  return also(
    viaField(validateScaledMetadata(config, autoscaler.metadata), 'metadata'),
    isEmptySpec(spec)
      ? missingField('spec')
      : viaField(
          also(
            viaField(validateLocalReference(spec.scaleTargetRef), 'scaleTargetRef'),
            viaField(validateContainerConcurrency(defaults, spec.containerConcurrency ?? 0), 'containerConcurrency'),
            validateProtocol(spec.protocolType),
          ),
          'spec',
        ),
  );
}

function isEmptySpec(spec: PodAutoscaler['spec']): boolean {
  const { scaleTargetRef, containerConcurrency = 0, reachability = '', protocolType } = spec;
  return containerConcurrency === 0 && reachability === '' && protocolType === '' && goEqual(scaleTargetRef, {}, true);
}

/** Checks the protocol that a Revision speaks; the path is `protocolType`. */
export function validateProtocol(protocol: string): FieldErrors {
  if (protocol === 'http1' || protocol === 'h2c') return noErrors;
  return protocol === '' ? missingField('protocolType') : invalidValue(protocol, 'protocolType');
}

export function validateMetric(metric: Metric, context: AdmissionContext): FieldErrors {
  const { stableWindow, panicWindow, scrapeTarget } = metric.spec;
  return also(
    viaField(validateScaledMetadata(servingConfigOf(context).autoscaler, metric.metadata), 'metadata'),
    stableWindow === 0 && panicWindow === 0 && scrapeTarget === '' ? missingField('spec') : noErrors,
  );
}
