import { formatGoDuration } from '../../duration.ts';
import { also, genericError, invalidKeyName, invalidValue, noErrors, outOfBounds, type FieldErrors } from '../field-errors.ts';
import {
  autoscalingAnnotations as keys,
  autoscalingGroup,
  findAnnotation,
  hpaClass,
  kpaClass,
  targetMin,
  windowMaxMs,
  windowMinMs,
  type Annotations,
  type AnnotationSpellings,
} from './annotation-keys.ts';
import type { AutoscalerConfig } from './config-autoscaler.ts';
import { parseGoDurationValue, parseGoFloat, parseGoInt } from './go-values.ts';

const int32Max = 2_147_483_647;

/** What the validation of annotations needs of `config-autoscaler`. */
export type AnnotationPolicy = Pick<AutoscalerConfig, 'podAutoscalerClass' | 'maxScaleLimit' | 'allowZeroInitialScale'>;

/**
 * Errors of the autoscaling annotations of a revision (or of its template), with paths relative to the annotations' map: put
 * `viaField(errors, 'annotations')` and so on around them. Verdicts and texts equal upstream's, surprises included: NaN passes
 * every range check. Source: knative/serving pkg/apis/autoscaling/annotation_validation.go.
 */
export function validateAutoscalingAnnotations(config: AnnotationPolicy, annotations: Annotations): FieldErrors {
  if (annotations === undefined) return noErrors;
  return also(
    validateClass(annotations),
    validateScales(config, annotations),
    validateFloats(annotations),
    validateDuration(annotations, keys.window, windowMinMs, true),
    validateDuration(annotations, keys.scaleToZeroPodRetentionPeriod, 0, false),
    validateDuration(annotations, keys.scaleDownDelay, 0, true),
    validateMetric(config, annotations),
    validateAlgorithm(annotations),
    validateInitialScale(config, annotations),
  );
}

/**
 * Errors of autoscaling annotations that stand on an object which the autoscaler does not read (a Service's or Configuration's
 * own metadata); paths relative to the object.
 */
export function validateNoAutoscalingAnnotations(annotations: Annotations): FieldErrors {
  return also(
    ...Object.keys(annotations ?? {})
      .filter((key) => key.startsWith(autoscalingGroup))
      .map((key) =>
        invalidKeyName(
          key,
          'metadata.annotations',
          'autoscaling annotations must be put under "spec.template.metadata.annotations" to work',
        ),
      ),
  );
}

function validateClass(annotations: Annotations): FieldErrors {
  const found = findAnnotation(annotations, keys.class);
  if (found === undefined || found.value === kpaClass || found.value === hpaClass) return noErrors;
  // Knative reserves its own domain; any other class belongs to somebody else's autoscaler.
  return found.value.endsWith('.knative.dev') ? invalidValue(found.value, found.key) : noErrors;
}

function validateScales(config: AnnotationPolicy, annotations: Annotations): FieldErrors {
  const min = scaleOf(annotations, keys.minScale);
  const max = scaleOf(annotations, keys.maxScale);
  const crossed =
    max.value !== 0 && max.value < min.value
      ? genericError(`max-scale=${max.value} is less than min-scale=${min.value}`, keys.maxScale[0], keys.minScale[0])
      : noErrors;
  return also(
    min.errors,
    max.errors,
    crossed,
    max.key === undefined ? noErrors : validateLimit(max.key, max.value, config.maxScaleLimit),
    validateActivationScale(annotations, min.value, max.value),
  );
}

// A scale that cannot be parsed counts as 0 in the checks that follow.
function scaleOf(
  annotations: Annotations,
  spellings: AnnotationSpellings,
): { key: string | undefined; value: number; errors: FieldErrors } {
  const found = findAnnotation(annotations, spellings);
  if (found === undefined) return { key: undefined, value: 0, errors: noErrors };
  const { key, value } = found;
  const parsed = parseGoInt(value, 32);
  if ('error' in parsed) {
    const errors = parsed.error === 'range' ? outOfBounds(value, 0, int32Max, key) : invalidValue(value, key);
    return { key, value: 0, errors };
  }
  return parsed.value < 0
    ? { key, value: 0, errors: outOfBounds(value, 0, int32Max, key) }
    : { key, value: parsed.value, errors: noErrors };
}

function validateLimit(key: string, maxScale: number, limit: number): FieldErrors {
  if (limit === 0) return noErrors;
  if (maxScale === 0) return genericError(`max-scale=0 (unlimited), must be less than ${limit}`, key);
  return maxScale > limit ? outOfBounds(maxScale, 1, limit, key) : noErrors;
}

function validateActivationScale(annotations: Annotations, minScale: number, maxScale: number): FieldErrors {
  const found = findAnnotation(annotations, keys.activationScale);
  if (found === undefined) return noErrors;
  const parsed = parseGoInt(found.value, 32);
  if ('error' in parsed) return invalidValue(found.value, found.key);
  const scale = parsed.value;
  if (minScale > scale) return genericError(`min-scale=${minScale} is greater than activation-scale=${scale}`, found.key);
  if (maxScale < scale && maxScale !== 0) {
    return genericError(`max-scale=${maxScale} is less than activation-scale=${scale}`, found.key);
  }
  return scale < 2 ? genericError(`activation-scale=${scale} must be greater than 1`, found.key) : noErrors;
}

function validateFloats(annotations: Annotations): FieldErrors {
  return also(
    validateRange(annotations, keys.panicWindowPercentage, 1, 100),
    validateRange(annotations, keys.panicThresholdPercentage, 110, 1_000),
    validateFloat(annotations, keys.target, (value, text, key) =>
      value < targetMin ? genericError(`target ${text} should be at least ${targetMin}`, key) : noErrors,
    ),
    validateRange(annotations, keys.targetUtilizationPercentage, 1, 100),
    validateFloat(annotations, keys.targetBurstCapacity, (value, text, key) =>
      value < 0 && value !== -1 ? invalidValue(text, key) : noErrors,
    ),
  );
}

function validateFloat(
  annotations: Annotations,
  spellings: AnnotationSpellings,
  check: (value: number, text: string, key: string) => FieldErrors,
): FieldErrors {
  const found = findAnnotation(annotations, spellings);
  if (found === undefined) return noErrors;
  const parsed = parseGoFloat(found.value);
  return 'error' in parsed ? invalidValue(found.value, found.key) : check(parsed.value, found.value, found.key);
}

function validateRange(annotations: Annotations, spellings: AnnotationSpellings, min: number, max: number): FieldErrors {
  return validateFloat(annotations, spellings, (value, text, key) =>
    value < min || value > max ? outOfBounds(text, min, max, key) : noErrors,
  );
}

function validateDuration(
  annotations: Annotations,
  spellings: AnnotationSpellings,
  minMs: number,
  wholeSeconds: boolean,
): FieldErrors {
  const found = findAnnotation(annotations, spellings);
  if (found === undefined) return noErrors;
  const parsed = parseGoDurationValue(found.value);
  if ('error' in parsed) return invalidValue(found.value, found.key);
  if (parsed.ms < minMs || parsed.ms > windowMaxMs) {
    return outOfBounds(found.value, formatGoDuration(minMs), formatGoDuration(windowMaxMs), found.key);
  }
  return wholeSeconds && parsed.ms % 1_000 !== 0
    ? genericError('must be specified with at most second precision', found.key)
    : noErrors;
}

function validateMetric(config: AnnotationPolicy, annotations: Annotations): FieldErrors {
  const found = findAnnotation(annotations, keys.metric);
  if (found === undefined) return noErrors;
  const metric = found.value;
  const className = findAnnotation(annotations, keys.class)?.value ?? config.podAutoscalerClass;
  const valid =
    className === kpaClass ? metric === 'concurrency' || metric === 'rps' : className === hpaClass ? metric !== '' : true;
  return valid ? noErrors : invalidValue(metric, found.key);
}

function validateAlgorithm(annotations: Annotations): FieldErrors {
  // Only where the annotation itself says KPA: the configured default class does not count here.
  if (findAnnotation(annotations, keys.class)?.value !== kpaClass) return noErrors;
  const found = findAnnotation(annotations, keys.metricAggregationAlgorithm);
  const known = ['', 'linear', 'weighted-exponential', 'weightedExponential'];
  return found === undefined || known.includes(found.value) ? noErrors : invalidValue(found.value, found.key);
}

function validateInitialScale(config: AnnotationPolicy, annotations: Annotations): FieldErrors {
  const found = findAnnotation(annotations, keys.initialScale);
  if (found === undefined) return noErrors;
  const { key, value } = found;
  const parsed = parseGoInt(value, 64);
  if ('error' in parsed) return invalidValue(value, key);
  if (parsed.value < 0) return invalidValue(value, `${key} must be greater than 0`);
  return parsed.value === 0 && !config.allowZeroInitialScale ? invalidValue(value, `${key}=0 not allowed by cluster`) : noErrors;
}
