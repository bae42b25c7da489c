import { formatGoDuration } from '../../duration.ts';
import { kpaClass, targetMin, windowMaxMs, windowMinMs } from './annotation-keys.ts';
import { formatGoFloat, parseGoBool, parseGoDurationValue, parseGoFloat, parseGoInt } from './go-values.ts';

/** `config-autoscaler`, parsed: cluster-wide defaults that annotations override. Comments give key and default. */
export interface AutoscalerConfig {
  /** `pod-autoscaler-class`, kpa.autoscaling.knative.dev. */
  podAutoscalerClass: string;
  /** `enable-scale-to-zero`, true. */
  enableScaleToZero: boolean;
  /** `allow-zero-initial-scale`, false. */
  allowZeroInitialScale: boolean;
  /** `max-scale-up-rate`, 1000: most pods per ready pod in one decision. */
  maxScaleUpRate: number;
  /** `max-scale-down-rate`, 2. */
  maxScaleDownRate: number;
  /** `container-concurrency-target-percentage` as a fraction, 0.7; values of at most 1 are taken as fractions. */
  containerConcurrencyTargetFraction: number;
  /** `container-concurrency-target-default`, 100 requests: used when a revision has no limit of its own. */
  containerConcurrencyTargetDefault: number;
  /** Utilization of metrics other than concurrency, 0.7; no key. */
  targetUtilization: number;
  /** `requests-per-second-target-default`, 200. */
  rpsTargetDefault: number;
  /** `target-burst-capacity`, 211; -1 keeps the activator in the path always, 0 only at scale zero. */
  targetBurstCapacity: number;
  /** `panic-window-percentage`, 10 % of the stable window. */
  panicWindowPercentage: number;
  /** `activator-capacity`, 100 requests at a time per activator. */
  activatorCapacity: number;
  /** `panic-threshold-percentage`, 200. */
  panicThresholdPercentage: number;
  /** `initial-scale`, 1. */
  initialScale: number;
  /** `min-scale`, 0. */
  minScale: number;
  /** `max-scale`, 0: no limit. */
  maxScale: number;
  /** `max-scale-limit`, 0: no limit. */
  maxScaleLimit: number;
  /** `stable-window`, 60 s. */
  stableWindowMs: number;
  /** `scale-down-delay`, 0. */
  scaleDownDelayMs: number;
  /** `scale-to-zero-grace-period`, 30 s. */
  scaleToZeroGracePeriodMs: number;
  /** `scale-to-zero-pod-retention-period`, 0. */
  scaleToZeroPodRetentionPeriodMs: number;
}

/** A fresh copy of upstream's defaults. */
export function defaultAutoscalerConfig(): AutoscalerConfig {
  return {
    podAutoscalerClass: kpaClass,
    enableScaleToZero: true,
    allowZeroInitialScale: false,
    maxScaleUpRate: 1_000,
    maxScaleDownRate: 2,
    containerConcurrencyTargetFraction: 0.7,
    containerConcurrencyTargetDefault: 100,
    targetUtilization: 0.7,
    rpsTargetDefault: 200,
    targetBurstCapacity: 211,
    panicWindowPercentage: 10,
    activatorCapacity: 100,
    panicThresholdPercentage: 200,
    initialScale: 1,
    minScale: 0,
    maxScale: 0,
    maxScaleLimit: 0,
    stableWindowMs: 60_000,
    scaleDownDelayMs: 0,
    scaleToZeroGracePeriodMs: 30_000,
    scaleToZeroPodRetentionPeriodMs: 0,
  };
}

type KeysOf<T> = { [K in keyof AutoscalerConfig]: AutoscalerConfig[K] extends T ? K : never }[keyof AutoscalerConfig];

const booleans = [
  ['enable-scale-to-zero', 'enableScaleToZero'],
  ['allow-zero-initial-scale', 'allowZeroInitialScale'],
] as const satisfies readonly (readonly [string, KeysOf<boolean>])[];

const floats = [
  ['max-scale-up-rate', 'maxScaleUpRate'],
  ['max-scale-down-rate', 'maxScaleDownRate'],
  ['container-concurrency-target-percentage', 'containerConcurrencyTargetFraction'],
  ['container-concurrency-target-default', 'containerConcurrencyTargetDefault'],
  ['requests-per-second-target-default', 'rpsTargetDefault'],
  ['target-burst-capacity', 'targetBurstCapacity'],
  ['panic-window-percentage', 'panicWindowPercentage'],
  ['activator-capacity', 'activatorCapacity'],
  ['panic-threshold-percentage', 'panicThresholdPercentage'],
] as const satisfies readonly (readonly [string, KeysOf<number>])[];

const integers = [
  ['initial-scale', 'initialScale'],
  ['min-scale', 'minScale'],
  ['max-scale', 'maxScale'],
  ['max-scale-limit', 'maxScaleLimit'],
] as const satisfies readonly (readonly [string, KeysOf<number>])[];

const durations = [
  ['stable-window', 'stableWindowMs'],
  ['scale-down-delay', 'scaleDownDelayMs'],
  ['scale-to-zero-grace-period', 'scaleToZeroGracePeriodMs'],
  ['scale-to-zero-pod-retention-period', 'scaleToZeroPodRetentionPeriodMs'],
] as const satisfies readonly (readonly [string, KeysOf<number>])[];

/** The parsed config map, or the text of its first error. Unknown keys are ignored. */
export type AutoscalerConfigResult = { readonly config: AutoscalerConfig } | { readonly error: string };

/**
 * Parses and validates the data of `config-autoscaler`. The first error wins, in upstream's order: parsing (class, booleans,
 * floats, integers, durations), then the checks. Source: knative/serving pkg/autoscaler/config/config.go.
 */
export function parseAutoscalerConfig(data: Readonly<Record<string, string>> | undefined): AutoscalerConfigResult {
  const config = defaultAutoscalerConfig();
  const parseError = data === undefined ? undefined : parseInto(config, data);
  if (parseError !== undefined) return { error: `failed to parse data: ${parseError}` };
  if (config.containerConcurrencyTargetFraction > 1) config.containerConcurrencyTargetFraction /= 100;
  const error = firstViolation(config);
  return error === undefined ? { config } : { error };
}

function parseInto(config: AutoscalerConfig, data: Readonly<Record<string, string>>): string | undefined {
  const className = valueOf(data, 'pod-autoscaler-class');
  if (className !== undefined) config.podAutoscalerClass = className.trim();
  for (const [key, field] of booleans) {
    const text = valueOf(data, key);
    if (text === undefined) continue;
    const parsed = parseGoBool(text);
    if ('error' in parsed) return numberError(key, 'ParseBool', text, parsed.error);
    config[field] = parsed.value;
  }
  for (const [key, field] of floats) {
    const text = valueOf(data, key);
    if (text === undefined) continue;
    const parsed = parseGoFloat(text);
    if ('error' in parsed) return numberError(key, 'ParseFloat', text, parsed.error);
    config[field] = parsed.value;
  }
  for (const [key, field] of integers) {
    const text = valueOf(data, key);
    if (text === undefined) continue;
    const parsed = parseGoInt(text, 32);
    if ('error' in parsed) return numberError(key, 'ParseInt', text, parsed.error);
    config[field] = parsed.value;
  }
  for (const [key, field] of durations) {
    const text = valueOf(data, key);
    if (text === undefined) continue;
    const parsed = parseGoDurationValue(text);
    if ('error' in parsed) return `failed to parse "${key}": ${parsed.error}`;
    config[field] = parsed.ms;
  }
  return undefined;
}

function valueOf(data: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(data, key) ? data[key] : undefined;
}

function numberError(key: string, call: string, text: string, error: 'syntax' | 'range'): string {
  const reason = error === 'range' ? 'value out of range' : 'invalid syntax';
  return `failed to parse "${key}": strconv.${call}: parsing ${JSON.stringify(text)}: ${reason}`;
}

// Every comparison is written so that NaN passes, as it does upstream.
function firstViolation(config: AutoscalerConfig): string | undefined {
  return (
    durationViolation(config) ??
    targetViolation(config) ??
    rateViolation(config) ??
    windowViolation(config) ??
    scaleViolation(config)
  );
}

function durationViolation(config: AutoscalerConfig): string | undefined {
  const graceMs = config.scaleToZeroGracePeriodMs;
  if (graceMs <= 0) return `scale-to-zero-grace-period must be positive, was: ${formatGoDuration(graceMs)}`;
  const delayMs = config.scaleDownDelayMs;
  if (delayMs < 0) return `scale-down-delay cannot be negative, was: ${formatGoDuration(delayMs)}`;
  if (delayMs % 1_000 !== 0) {
    return `scale-down-delay = ${formatGoDuration(delayMs)}, must be specified with at most second precision`;
  }
  const retentionMs = config.scaleToZeroPodRetentionPeriodMs;
  return retentionMs < 0
    ? `scale-to-zero-pod-retention-period cannot be negative, was: ${formatGoDuration(retentionMs)}`
    : undefined;
}

function targetViolation(config: AutoscalerConfig): string | undefined {
  const burst = config.targetBurstCapacity;
  if (burst < 0 && burst !== -1) {
    return `target-burst-capacity must be either non-negative or -1 (for unlimited), was: ${formatFixed(burst)}`;
  }
  const fraction = config.containerConcurrencyTargetFraction;
  if (fraction <= 0 || fraction > 1) {
    return `container-concurrency-target-percentage = ${formatFixed(fraction)} is outside of valid range of (0, 100]`;
  }
  const target = fraction * config.containerConcurrencyTargetDefault;
  if (target < targetMin) {
    return `container-concurrency-target-percentage and container-concurrency-target-default yield target concurrency of ${formatGoFloat(target)}, can't be less than ${targetMin}`;
  }
  return config.rpsTargetDefault < targetMin
    ? `requests-per-second-target-default must be at least ${targetMin}, was: ${formatGoFloat(config.rpsTargetDefault)}`
    : undefined;
}

function rateViolation(config: AutoscalerConfig): string | undefined {
  if (config.activatorCapacity < 1) return `activator-capacity = ${formatGoFloat(config.activatorCapacity)}, must be at least 1`;
  if (config.maxScaleUpRate <= 1) return `max-scale-up-rate = ${formatGoFloat(config.maxScaleUpRate)}, must be greater than 1.0`;
  return config.maxScaleDownRate <= 1
    ? `max-scale-down-rate = ${formatGoFloat(config.maxScaleDownRate)}, must be greater than 1.0`
    : undefined;
}

function windowViolation(config: AutoscalerConfig): string | undefined {
  const windowMs = config.stableWindowMs;
  if (windowMs < windowMinMs || windowMs > windowMaxMs) {
    return `stable-window = ${formatGoDuration(windowMs)}, must be in [${formatGoDuration(windowMinMs)}; ${formatGoDuration(windowMaxMs)}] range`;
  }
  if (windowMs % 1_000 !== 0) {
    return `stable-window = ${formatGoDuration(windowMs)}, must be specified with at most second precision`;
  }
  const percentage = config.panicWindowPercentage;
  return percentage < 1 || percentage > 100
    ? `panic-window-percentage = ${formatGoFloat(percentage)}, must be in [1, 100] interval`
    : undefined;
}

function scaleViolation(config: AutoscalerConfig): string | undefined {
  const { initialScale, minScale, maxScale, maxScaleLimit } = config;
  if (initialScale < 0 || (initialScale === 0 && !config.allowZeroInitialScale)) {
    return `initial-scale = ${initialScale}, must be at least 0 (or at least 1 when allow-zero-initial-scale is false)`;
  }
  if (minScale < 0) return `min-scale = ${minScale}, must be at least 0`;
  // With a limit there must be a default maximum too.
  const leastMaxScale = maxScaleLimit > 0 ? 1 : 0;
  if (maxScale < leastMaxScale || (maxScaleLimit > 0 && maxScale > maxScaleLimit)) {
    return `max-scale = ${maxScale}, must be in [${leastMaxScale}, max-scale-limit(${maxScaleLimit})] range`;
  }
  if (maxScaleLimit < 0) return `max-scale-limit = ${maxScaleLimit}, must be at least 0`;
  return minScale > maxScale && maxScale > 0 ? `min-scale (${minScale}) must be less than max-scale (${maxScale})` : undefined;
}

// Go's %f: six decimals.
function formatFixed(value: number): string {
  return Number.isFinite(value) ? value.toFixed(6) : formatGoFloat(value);
}
