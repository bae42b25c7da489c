import type { Container } from '../../api/core/container.ts';
import type { Revision, RevisionSpec } from '../../api/serving/revision.ts';

export const defaultUserPort = 8080;

/** Names and ports of the pod's own listeners, as upstream numbers them. */
export const ports = {
  backendHttp: 8012,
  backendHttp2: 8013,
  backendHttps: 8112,
  queueAdmin: 8022,
  autoscalingQueueMetrics: 9090,
  userQueueMetrics: 9091,
  profiling: 8008,
} as const;

/** The container that takes requests: the only one, or the first that names a port. */
export function servingContainer(spec: RevisionSpec): Container | undefined {
  const [first] = spec.containers;
  return spec.containers.length === 1 ? first : spec.containers.find(isServing);
}

/** The containers that only accompany the serving one. */
export function sidecarContainers(spec: RevisionSpec): readonly Container[] {
  return spec.containers.length === 1 ? [] : spec.containers.filter((container) => !isServing(container));
}

export function isServing(container: Container): boolean {
  return container.ports !== undefined && container.ports.length > 0;
}

export function userPortOf(spec: RevisionSpec): number {
  const port = servingContainer(spec)?.ports?.[0]?.containerPort;
  return port === undefined || port === 0 ? defaultUserPort : port;
}

/** `h2c` when the port says so by its name. */
export function protocolOf(revision: Revision): 'http1' | 'h2c' {
  return servingContainer(revision.spec)?.ports?.[0]?.name === 'h2c' ? 'h2c' : 'http1';
}
