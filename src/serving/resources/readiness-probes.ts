import type { Probe } from '../../api/core/container.ts';
import type { RevisionSpec } from '../../api/serving/revision.ts';
import { servingContainer, sidecarContainers, userPortOf } from './revision-containers.ts';

const localAddress = '127.0.0.1';

/** The probes that the queue-proxy runs in place of the kubelet. */
export interface ReadinessProbes {
  /** Text of SERVING_READINESS_PROBE: one probe, or a list with `multi-container-probing`; '' without any. */
  readonly text: string;
}

/**
 * The readiness probes of a revision's containers as the queue-proxy runs them: on the loopback address and with the port filled
 * in; an exec probe stays with the kubelet and becomes a TCP probe here. A string is the error that keeps the Deployment from
 * being built: a sidecar's probe without a port.
 */
export function readinessProbes(
  spec: RevisionSpec,
  multiContainerProbing: boolean,
): ReadinessProbes | { readonly error: string } {
  const user = servingContainer(spec)?.readinessProbe;
  const userProbe = user === undefined ? null : localProbe(user, probePorts(user).at(-1) ?? userPortOf(spec));
  if (!multiContainerProbing) return { text: userProbe === null ? '' : JSON.stringify(userProbe) };
  const probes: (Probe | null)[] = [userProbe];
  for (const { name, readinessProbe: probe } of sidecarContainers(spec)) {
    const port = probe === undefined ? undefined : probePorts(probe)[0];
    if (port !== undefined && probe !== undefined) probes.push(localProbe(probe, port));
    else if (probe !== undefined && probe.exec === undefined) {
      return { error: `sidecar readiness probe does not define probe port on container: ${name ?? ''}` };
    }
  }
  return { text: JSON.stringify(probes) };
}

/** The ports that a probe's handlers name, in upstream's order: HTTP, TCP, gRPC. */
function probePorts(probe: Probe): number[] {
  const grpc = probe.grpc?.port ?? 0;
  return [portNumber(probe.httpGet?.port), portNumber(probe.tcpSocket?.port), grpc > 0 ? grpc : 0].filter((port) => port !== 0);
}

/** A port number, also from text; names of ports count as 0, as the queue-proxy cannot know them. */
export function portNumber(port: number | string | undefined): number {
  if (typeof port === 'number') return port;
  return port !== undefined && /^\d+$/.test(port) ? Number(port) : 0;
}

/** The first handler gets port and address; others that admission let pass stay as they are. */
function localProbe(probe: Probe, port: number): Probe {
  const { exec, httpGet, tcpSocket, grpc, ...numbers } = probe;
  // The text is compared when Deployments are, so a 0 must read like an absent field where it means the same.
  const timing = Object.fromEntries(
    Object.entries(numbers).filter(([key, value]) => value !== 0 || key === 'terminationGracePeriodSeconds'),
  ) as typeof numbers;
  const timeout = (timing.periodSeconds ?? 0) > 0 && (timing.timeoutSeconds ?? 0) < 1 ? { timeoutSeconds: 1 } : {};
  const common = { ...timing, ...timeout };
  const rest = { ...(exec && { exec }), ...(tcpSocket && { tcpSocket }), ...(grpc && { grpc }) };
  if (httpGet !== undefined) {
    return { ...rest, httpGet: { ...httpGet, port, host: localAddress, scheme: httpGet.scheme || 'HTTP' }, ...common };
  }
  const local = { port, host: localAddress };
  if (tcpSocket !== undefined) return { ...rest, tcpSocket: local, ...common };
  if (exec !== undefined) return { ...(grpc && { grpc }), tcpSocket: local, ...common };
  if (grpc !== undefined) return { grpc: { ...grpc, port }, ...common };
  return common;
}
