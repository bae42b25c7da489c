import { formatGoDuration } from '../../duration.ts';
import { ConfigFault, readConfig, type ConfigData, type ConfigReader, type ConfigResult } from '../config-reader.ts';
import { dns1123SubdomainProblems, labelValueProblems, qualifiedNameProblems } from '../names.ts';
import { parseSmallYaml } from '../small-yaml.ts';
import { fieldOf, mapOf, textMap } from '../yaml-values.ts';

/** `config-deployment`, parsed: how Revisions become Deployments. Comments give upstream's default. */
export interface DeploymentConfig {
  readonly queueSidecarImage: string;
  /** `kind.local`, `ko.local`, `dev.local`: registries whose tags are deployed as they are. */
  readonly registriesSkippingTagResolving: readonly string[];
  /** 10 s. */
  readonly digestResolutionTimeoutMs: number;
  /** 600 s. */
  readonly progressDeadlineMs: number;
  /** `25m`. */
  readonly queueSidecarCPURequest: string | undefined;
  readonly queueSidecarCPULimit: string | undefined;
  readonly queueSidecarMemoryRequest: string | undefined;
  readonly queueSidecarMemoryLimit: string | undefined;
  readonly queueSidecarEphemeralStorageRequest: string | undefined;
  readonly queueSidecarEphemeralStorageLimit: string | undefined;
  readonly queueSidecarTokenAudiences: readonly string[];
  readonly queueSidecarRootCA: string;
  readonly queueSidecarTLSMinVersion: string;
  readonly queueSidecarTLSMaxVersion: string;
  readonly queueSidecarTLSCipherSuites: string;
  readonly queueSidecarTLSCurvePreferences: string;
  readonly defaultAffinityType: 'none' | 'prefer-spread-revision-over-nodes';
  /** Runtime class by name, with the labels that choose it. */
  readonly runtimeClassNames: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
  readonly podIsAlwaysSchedulable: boolean;
}

/** Parses the data of `config-deployment`. Source: knative/serving pkg/deployment/config.go. */
export function parseDeploymentConfig(data: ConfigData | undefined): ConfigResult<DeploymentConfig> {
  return readConfig(data, (read) => {
    const config = readValues(read);
    if (config.queueSidecarImage === '') throw new ConfigFault('queue-sidecar-image cannot be empty or unset');
    const { progressDeadlineMs: deadline, digestResolutionTimeoutMs: timeout } = config;
    if (deadline <= 0) {
      throw new ConfigFault(`progress-deadline cannot be a non-positive duration, was ${formatGoDuration(deadline)}`);
    }
    if (deadline % 1_000 !== 0) {
      throw new ConfigFault(`progress-deadline must be rounded to a whole second, was: ${formatGoDuration(deadline)}`);
    }
    if (timeout <= 0) {
      throw new ConfigFault(`digest-resolution-timeout cannot be a non-positive duration, was ${formatGoDuration(timeout)}`);
    }
    return {
      ...config,
      defaultAffinityType: affinityType(read),
      runtimeClassNames: readRuntimeClasses(read.text('runtime-class-name', '')),
    };
  });
}

function readValues(read: ConfigReader): Omit<DeploymentConfig, 'defaultAffinityType' | 'runtimeClassNames'> {
  // The older spellings are read first: the current ones lie over them, and the first fault is the one that is told.
  const older = {
    image: read.text('queueSidecarImage', ''),
    progressDeadlineMs: read.durationMs('progressDeadline', 600_000),
    digestResolutionTimeoutMs: read.durationMs('digestResolutionTimeout', 10_000),
    registries: read.set('registriesSkippingTagResolving', ['kind.local', 'ko.local', 'dev.local']),
    cpuRequest: read.quantity('queueSidecarCPURequest', '25m'),
    memoryRequest: read.quantity('queueSidecarMemoryRequest', undefined),
    storageRequest: read.quantity('queueSidecarEphemeralStorageRequest', undefined),
    cpuLimit: read.quantity('queueSidecarCPULimit', undefined),
    memoryLimit: read.quantity('queueSidecarMemoryLimit', undefined),
    storageLimit: read.quantity('queueSidecarEphemeralStorageLimit', undefined),
  };
  return {
    queueSidecarImage: read.text('queue-sidecar-image', older.image),
    progressDeadlineMs: read.durationMs('progress-deadline', older.progressDeadlineMs),
    digestResolutionTimeoutMs: read.durationMs('digest-resolution-timeout', older.digestResolutionTimeoutMs),
    registriesSkippingTagResolving: read.set('registries-skipping-tag-resolving', older.registries),
    queueSidecarCPURequest: read.quantity('queue-sidecar-cpu-request', older.cpuRequest),
    queueSidecarMemoryRequest: read.quantity('queue-sidecar-memory-request', older.memoryRequest),
    queueSidecarEphemeralStorageRequest: read.quantity('queue-sidecar-ephemeral-storage-request', older.storageRequest),
    queueSidecarCPULimit: read.quantity('queue-sidecar-cpu-limit', older.cpuLimit),
    queueSidecarMemoryLimit: read.quantity('queue-sidecar-memory-limit', older.memoryLimit),
    queueSidecarEphemeralStorageLimit: read.quantity('queue-sidecar-ephemeral-storage-limit', older.storageLimit),
    queueSidecarTokenAudiences: read.set('queue-sidecar-token-audiences', ['']),
    queueSidecarRootCA: read.text('queue-sidecar-rootca', ''),
    queueSidecarTLSMinVersion: read.text('queue-sidecar-tls-min-version', ''),
    queueSidecarTLSMaxVersion: read.text('queue-sidecar-tls-max-version', ''),
    queueSidecarTLSCipherSuites: read.text('queue-sidecar-tls-cipher-suites', ''),
    queueSidecarTLSCurvePreferences: read.text('queue-sidecar-tls-curve-preferences', ''),
    podIsAlwaysSchedulable: read.boolean('pod-is-always-schedulable', false),
  };
}

function affinityType(read: ConfigReader): DeploymentConfig['defaultAffinityType'] {
  const text = read.raw('default-affinity-type', 'prefer-spread-revision-over-nodes');
  if (text === 'none' || text === 'prefer-spread-revision-over-nodes') return text;
  throw new ConfigFault(`unsupported default-affinity-type value: ${JSON.stringify(text)}`);
}

function readRuntimeClasses(text: string): DeploymentConfig['runtimeClassNames'] {
  const key = 'runtime-class-name';
  const classes: Record<string, Readonly<Record<string, string>>> = {};
  try {
    const value = parseSmallYaml(text);
    if (value === undefined) return undefined;
    const type = 'deployment.RuntimeClassNameLabelSelector';
    for (const [name, entry] of Object.entries(mapOf(value, `value of type map[string]${type}`))) {
      const selector = fieldOf(mapOf(entry, `value of type ${type}`), 'selector');
      classes[name] = textMap(selector, 'struct field RuntimeClassNameLabelSelector.selector');
    }
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    throw new ConfigFault(`${key} cannot be parsed, please check the format: ${error.message}`);
  }
  for (const [name, selector] of Object.entries(classes)) {
    const problems = dns1123SubdomainProblems(name);
    if (problems.length > 0) throw new ConfigFault(`${key} ${name} selector not valid DNSSubdomain: [${problems.join(' ')}]`);
    for (const [label, value] of Object.entries(selector)) {
      const faults = [
        ...invalid('key', label, qualifiedNameProblems(label)),
        ...invalid(`values[0][${label}]`, value, labelValueProblems(value)),
      ];
      if (faults.length === 0) continue;
      const text = faults.length === 1 ? faults.join('') : `[${faults.join(', ')}]`;
      throw new ConfigFault(`${key} ${name} selector invalid: ${text}`);
    }
  }
  return classes;
}

function invalid(path: string, value: string, problems: readonly string[]): readonly string[] {
  return problems.length === 0 ? [] : [`${path}: Invalid value: ${JSON.stringify(value)}: ${problems.join('; ')}`];
}
