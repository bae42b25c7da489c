import { parseGoDuration } from '../../duration.ts';
import { parseQuantity, type Quantity } from '../../quantity.ts';
import type { StringMap } from '../metadata.ts';
import { booleanOf, parsedConfig, setOf, textOf, type ConfigData } from './read.ts';
import { readSelectors } from './selector.ts';

/** Resources of the queue-proxy by name; `undefined`: not set. */
export interface QueueSidecarResources {
  readonly cpu: Quantity | undefined;
  readonly memory: Quantity | undefined;
  readonly ephemeralStorage: Quantity | undefined;
}

/** `config-deployment`. Comments give key and default. */
export interface DeploymentConfig {
  /** `queue-sidecar-image`, ''. */
  readonly queueSidecarImage: string;
  /** `progress-deadline`, 10 min. */
  readonly progressDeadlineMs: number;
  /** `digest-resolution-timeout`, 10 s. */
  readonly digestResolutionTimeoutMs: number;
  /** `registries-skipping-tag-resolving`, kind.local, ko.local and dev.local. */
  readonly registriesSkippingTagResolving: readonly string[];
  /** `queue-sidecar-cpu-request` (25m), `-memory-request`, `-ephemeral-storage-request`. */
  readonly queueSidecarRequests: QueueSidecarResources;
  /** `queue-sidecar-cpu-limit`, `-memory-limit`, `-ephemeral-storage-limit`. */
  readonly queueSidecarLimits: QueueSidecarResources;
  /** `queue-sidecar-token-audiences`, none. */
  readonly queueSidecarTokenAudiences: readonly string[];
  /** `queue-sidecar-rootca`. */
  readonly queueSidecarRootCa: string;
  /** `queue-sidecar-tls-min-version` and the like. */
  readonly queueSidecarTls: {
    readonly minVersion: string;
    readonly maxVersion: string;
    readonly cipherSuites: string;
    readonly curvePreferences: string;
  };
  /** `default-affinity-type`: spread a revision's pods over nodes, unless `none`. */
  readonly spreadOverNodes: boolean;
  /** `runtime-class-name`: class names with the labels that a revision needs. */
  readonly runtimeClassNames: readonly { readonly name: string; readonly selector: StringMap }[];
  /** `pod-is-always-schedulable`, false: an unschedulable pod does not fail the revision. */
  readonly podIsAlwaysSchedulable: boolean;
}

export const deploymentConfig = parsedConfig('config-deployment', parseDeploymentConfig);

export function parseDeploymentConfig(data: ConfigData): DeploymentConfig {
  const duration = (fallbackMs: number, ...keys: readonly string[]): number =>
    parseGoDuration(textOf(data, ...keys) ?? '') ?? fallbackMs;
  const quantity = (...keys: readonly string[]): Quantity | undefined => {
    const text = textOf(data, ...keys);
    return text === undefined ? undefined : parseQuantity(text);
  };
  return {
    queueSidecarImage: textOf(data, 'queue-sidecar-image', 'queueSidecarImage') ?? '',
    progressDeadlineMs: duration(600_000, 'progress-deadline', 'progressDeadline'),
    digestResolutionTimeoutMs: duration(10_000, 'digest-resolution-timeout', 'digestResolutionTimeout'),
    registriesSkippingTagResolving: setOf(textOf(data, 'registries-skipping-tag-resolving', 'registriesSkippingTagResolving'), [
      'kind.local',
      'ko.local',
      'dev.local',
    ]),
    queueSidecarRequests: {
      cpu: quantity('queue-sidecar-cpu-request', 'queueSidecarCPURequest') ?? parseQuantity('25m'),
      memory: quantity('queue-sidecar-memory-request', 'queueSidecarMemoryRequest'),
      ephemeralStorage: quantity('queue-sidecar-ephemeral-storage-request', 'queueSidecarEphemeralStorageRequest'),
    },
    queueSidecarLimits: {
      cpu: quantity('queue-sidecar-cpu-limit', 'queueSidecarCPULimit'),
      memory: quantity('queue-sidecar-memory-limit', 'queueSidecarMemoryLimit'),
      ephemeralStorage: quantity('queue-sidecar-ephemeral-storage-limit', 'queueSidecarEphemeralStorageLimit'),
    },
    queueSidecarTokenAudiences: setOf(data['queue-sidecar-token-audiences'], []).filter((audience) => audience !== ''),
    queueSidecarRootCa: data['queue-sidecar-rootca'] ?? '',
    queueSidecarTls: {
      minVersion: data['queue-sidecar-tls-min-version'] ?? '',
      maxVersion: data['queue-sidecar-tls-max-version'] ?? '',
      cipherSuites: data['queue-sidecar-tls-cipher-suites'] ?? '',
      curvePreferences: data['queue-sidecar-tls-curve-preferences'] ?? '',
    },
    spreadOverNodes: data['default-affinity-type'] !== 'none',
    runtimeClassNames: readRuntimeClassNames(data['runtime-class-name']),
    podIsAlwaysSchedulable: booleanOf(data['pod-is-always-schedulable'], false),
  };
}

function readRuntimeClassNames(text: string | undefined): DeploymentConfig['runtimeClassNames'] {
  if (text === undefined) return [];
  const found = readSelectors(text);
  return Object.keys(found)
    .filter((key) => !key.includes('/'))
    .map((name) => ({ name, selector: found[`${name}/selector`] ?? {} }));
}

/** The runtime class for a revision's labels: the most specific selector, then the first by name; `undefined` when none matches. */
export function runtimeClassNameFor(config: DeploymentConfig, labels: StringMap | undefined): string | undefined {
  let found: string | undefined;
  let specificity = -1;
  for (const { name, selector } of config.runtimeClassNames) {
    const keys = Object.keys(selector);
    if (keys.length < specificity || keys.some((key) => labels?.[key] !== selector[key])) continue;
    if (keys.length > specificity || name < (found ?? '')) {
      found = name;
      specificity = keys.length;
    }
  }
  return found;
}
