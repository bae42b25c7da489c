import type { Container, ResourceRequirements } from '../../api/core/container.ts';
import { compareQuantities, formatQuantity, milliValue, parseQuantity, type Quantity } from '../../quantity.ts';
import type { DeploymentConfig } from '../config/deployment.ts';
import { annotationSpellings, annotationValue } from '../keys.ts';
import type { StringMap } from '../metadata.ts';

type ResourceName = 'cpu' | 'memory' | 'ephemeral-storage';
type ResourceList = Partial<Record<ResourceName, Quantity>>;

/** What `queueproxy.resource-defaults` fills in. */
const defaults = {
  requests: { cpu: '25m', memory: '400Mi' },
  limits: { cpu: '1000m', memory: '800Mi' },
} as const;

/** Bounds of a share of the user container's resources. */
const shareBounds = {
  requests: { cpu: ['25m', '100m'], memory: ['50Mi', '200Mi'] },
  limits: { cpu: ['40m', '500m'], memory: ['200Mi', '500Mi'] },
} as const;

/**
 * Resources of the queue-proxy: config-deployment (or defaults), then a share of the serving container's by annotation, within
 * bounds, then explicit annotations, which have no bounds.
 */
export function queueResources(
  config: DeploymentConfig,
  annotations: StringMap | undefined,
  userContainer: Container | undefined,
  useDefaults: boolean,
): ResourceRequirements {
  const requests: ResourceList = {};
  const limits: ResourceList = {};
  for (const [list, name, own] of [
    [requests, 'requests', config.queueSidecarRequests],
    [limits, 'limits', config.queueSidecarLimits],
  ] as const) {
    put(list, 'cpu', own.cpu ?? (useDefaults ? parseQuantity(defaults[name].cpu) : undefined));
    put(list, 'memory', own.memory ?? (useDefaults ? parseQuantity(defaults[name].memory) : undefined));
    put(list, 'ephemeral-storage', own.ephemeralStorage);
  }

  const percentage = annotationValue(annotations, annotationSpellings.queueSidecarResourcePercentage);
  const fraction = percentage === undefined || percentage === '' ? NaN : Number(percentage) / 100;
  if (!Number.isNaN(fraction)) {
    for (const [list, name] of [
      [requests, 'requests'],
      [limits, 'limits'],
    ] as const) {
      for (const resource of ['cpu', 'memory'] as const) {
        put(list, resource, shareOf(userContainer?.resources?.[name]?.[resource], fraction, shareBounds[name][resource]));
      }
    }
  }

  const explicit = (spellings: readonly string[]): Quantity | undefined => {
    const text = annotationValue(annotations, spellings);
    return text === undefined ? undefined : parseQuantity(text);
  };
  put(requests, 'cpu', explicit(annotationSpellings.queueSidecarCpuRequest));
  put(limits, 'cpu', explicit(annotationSpellings.queueSidecarCpuLimit));
  put(requests, 'memory', explicit(annotationSpellings.queueSidecarMemoryRequest));
  put(limits, 'memory', explicit(annotationSpellings.queueSidecarMemoryLimit));
  put(requests, 'ephemeral-storage', explicit(annotationSpellings.queueSidecarEphemeralStorageRequest));
  put(limits, 'ephemeral-storage', explicit(annotationSpellings.queueSidecarEphemeralStorageLimit));
  return { requests: texts(requests), ...(Object.keys(limits).length > 0 && { limits: texts(limits) }) };
}

function put(list: ResourceList, name: ResourceName, quantity: Quantity | undefined): void {
  if (quantity !== undefined) list[name] = quantity;
}

function shareOf(text: string | undefined, fraction: number, bounds: readonly [string, string]): Quantity | undefined {
  const whole = text === undefined ? undefined : parseQuantity(text);
  const [min, max] = [parseQuantity(bounds[0]), parseQuantity(bounds[1])];
  if (whole === undefined || whole.nanos === 0n || min === undefined || max === undefined) return undefined;
  // Upstream works with whole milli units and cuts.
  const milli = BigInt(Math.trunc(Math.min(milliValue(whole) * fraction, Number.MAX_SAFE_INTEGER)));
  const share: Quantity = { nanos: milli * 1_000_000n, format: 'binary' };
  if (compareQuantities(share, min) < 0) return min;
  return compareQuantities(share, max) > 0 ? max : share;
}

function texts(list: ResourceList): Record<string, string> {
  return Object.fromEntries(Object.entries(list).map(([name, quantity]) => [name, formatQuantity(quantity)]));
}
