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
  const userProbe = user === undefined ? null : localProbe(user, probePortOf(user) ?? userPortOf(spec));
  if (!multiContainerProbing) return { text: userProbe === null ? '' : JSON.stringify(userProbe) };
  const probes: (Probe | null)[] = [userProbe];
  for (const { name, readinessProbe: probe } of sidecarContainers(spec)) {
    const port = probe === undefined ? undefined : probePortOf(probe);
    if (port !== undefined && probe !== undefined) probes.push(localProbe(probe, port));
    else if (probe !== undefined && probe.exec === undefined) {
      return { error: `sidecar readiness probe does not define probe port on container: ${name ?? ''}` };
    }
  }
  return { text: JSON.stringify(probes) };
}

/** The port that a probe names itself. */
export function probePortOf(probe: Probe): number | undefined {
  const port = probe.httpGet?.port ?? probe.tcpSocket?.port ?? probe.grpc?.port;
  const value = portNumber(port);
  return value > 0 ? value : undefined;
}

/** A port number, also from text; names of ports count as 0, as the queue-proxy cannot know them. */
export function portNumber(port: number | string | undefined): number {
  if (typeof port === 'number') return port;
  return port !== undefined && /^\d+$/.test(port) ? Number(port) : 0;
}

function localProbe(probe: Probe, port: number): Probe {
  const { exec, httpGet, tcpSocket, grpc, ...numbers } = probe;
  // The text is compared when Deployments are, so a 0 must read like an absent field.
  const timing = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== 0)) as typeof numbers;
  const timeout = (timing.periodSeconds ?? 0) > 0 && (timing.timeoutSeconds ?? 0) < 1 ? { timeoutSeconds: 1 } : {};
  const common = { ...timing, ...timeout };
  if (httpGet !== undefined) {
    return { httpGet: { ...httpGet, port, host: localAddress, scheme: httpGet.scheme ?? 'HTTP' }, ...common };
  }
  if (tcpSocket !== undefined || exec !== undefined) return { tcpSocket: { port, host: localAddress }, ...common };
  if (grpc !== undefined) return { grpc: { ...grpc, port }, ...common };
  return common;
}
