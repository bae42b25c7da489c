import type { Container, Probe } from '../../api/core/container.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { ResourceView } from '../../controller/resource-store.ts';
import { parseQuantity, wholeValue } from '../../quantity.ts';
import type { ContainerSpec, InstanceSpec, ProbeSpec, VolumeFile, VolumeSpec } from '../runtimes/runtime.ts';
import { configMapData, expand, fieldOf, MissingReference, resolveEnvironment, secretData } from './pod-environment.ts';

/** Name of the sidecar that Knative puts into the Pods of a Revision. On one machine the gateway does its work. */
export const queueProxyName = 'queue-proxy';

const defaultPort = 8080;

/** What the runtime needs to run a Pod, every reference resolved; or why it cannot be made yet. */
export function makeInstanceSpec(
  pod: Pod,
  view: ResourceView,
  imageOf: (image: string) => string,
): InstanceSpec | { readonly blocked: string } {
  const make = (container: Container, probe: ProbeSpec | undefined): ContainerSpec => {
    const spec = containerSpec(container, pod, view, probe);
    return { ...spec, image: imageOf(spec.image) };
  };
  try {
    const all = pod.spec.containers ?? [];
    const queueProxy = all.find(({ name }) => name === queueProxyName);
    const containers = all.filter((container) => container !== queueProxy);
    const probes = queueProxy === undefined ? new Map<string, ProbeSpec>() : revisionProbes(queueProxy, containers);
    return {
      id: pod.metadata.uid ?? pod.metadata.name,
      namespace: pod.metadata.namespace ?? 'default',
      podName: pod.metadata.name,
      containers: withServingPort(containers.map((container) => make(container, probes.get(container.name)))),
      ...(pod.spec.initContainers === undefined
        ? {}
        : { initContainers: pod.spec.initContainers.map((container) => make(container, undefined)) }),
      volumes: volumeSpecs(pod, view),
      terminationGraceMs: graceMs(pod),
    };
  } catch (error) {
    if (error instanceof MissingReference) return { blocked: error.message };
    throw error;
  }
}

// Plain Deployments often declare no port, though their program listens on one: the runtime contract's default stands in.
function withServingPort(containers: readonly ContainerSpec[]): readonly ContainerSpec[] {
  const [first, ...rest] = containers;
  if (first === undefined || containers.some(({ ports }) => (ports?.length ?? 0) > 0)) return containers;
  return [{ ...first, ports: [{ containerPort: defaultPort }] }, ...rest];
}

/** Time between SIGTERM and SIGKILL; Kubernetes' default is 30 s. */
export function graceMs(pod: Pod): number {
  return (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
}

function containerSpec(container: Container, pod: Pod, view: ResourceView, revisionProbe: ProbeSpec | undefined): ContainerSpec {
  const env = resolveEnvironment(container, pod, view);
  const memory = parseQuantity(container.resources?.limits?.['memory'] ?? '');
  const user = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  const group = container.securityContext?.runAsGroup ?? pod.spec.securityContext?.runAsGroup;
  const words = (list: readonly string[]): string[] => list.map((word) => expand(word, env));
  return {
    name: container.name,
    image: container.image ?? '',
    env,
    ...(container.command === undefined ? {} : { command: words(container.command) }),
    ...(container.args === undefined ? {} : { args: words(container.args) }),
    ...(container.workingDir === undefined ? {} : { workingDir: container.workingDir }),
    ports: (container.ports ?? []).flatMap(({ name, containerPort }) =>
      containerPort === undefined ? [] : [{ containerPort, ...(name === undefined ? {} : { name }) }],
    ),
    ...readinessOf(container, revisionProbe),
    ...(container.livenessProbe === undefined ? {} : { livenessProbe: probeSpec(container.livenessProbe) }),
    ...(container.startupProbe === undefined ? {} : { startupProbe: probeSpec(container.startupProbe) }),
    ...(memory === undefined ? {} : { limits: { memoryBytes: wholeValue(memory) } }),
    ...(user === undefined
      ? {}
      : { securityContext: { runAsUser: user, ...(group === undefined ? {} : { runAsGroup: group }) } }),
    ...(container.volumeMounts === undefined ? {} : { volumeMounts: container.volumeMounts }),
  };
}

function readinessOf(container: Container, revisionProbe: ProbeSpec | undefined): Pick<ContainerSpec, 'readinessProbe'> {
  if (revisionProbe !== undefined) return { readinessProbe: revisionProbe };
  return container.readinessProbe === undefined ? {} : { readinessProbe: probeSpec(container.readinessProbe) };
}

/** The Kubernetes client leaves a port of 0 for "the serving port". */
function probeSpec(probe: Probe): ProbeSpec {
  const { httpGet, tcpSocket, grpc, exec, ...times } = probe;
  const portOf = (port: number | string | undefined): { port?: number | string } =>
    port === undefined || port === 0 ? {} : { port };
  return {
    ...times,
    ...(httpGet === undefined ? {} : { httpGet: { ...httpGet, ...portOf(httpGet.port) } }),
    ...(tcpSocket === undefined ? {} : { tcpSocket: portOf(tcpSocket.port) }),
    ...(grpc === undefined ? {} : { grpc }),
    ...(exec === undefined ? {} : { exec }),
  } as ProbeSpec;
}

/**
 * Readiness probes of a Revision's containers. Upstream hands them to the queue-proxy as JSON, one probe or a list; the serving
 * container's comes first of those that are on its port.
 */
function revisionProbes(queueProxy: Container, containers: readonly Container[]): Map<string, ProbeSpec> {
  const setting = (variable: string): string | undefined => queueProxy.env?.find(({ name }) => name === variable)?.value;
  const text = setting('SERVING_READINESS_PROBE');
  const detects = setting('ENABLE_HTTP2_AUTO_DETECTION') === 'true';
  const askedAs = (probe: Probe): ProbeSpec => ({ ...probeSpec(probe), ...(detects && { detectHttp2: true }) });
  const result = new Map<string, ProbeSpec>();
  if (text === undefined || text === '') return result;
  const parsed = JSON.parse(text) as Probe | Probe[];
  const serving = containers.find(({ ports }) => (ports?.length ?? 0) > 0) ?? containers[0];
  const probes = Array.isArray(parsed) ? [...parsed] : [parsed];
  const userPort = serving?.ports?.[0]?.containerPort;
  const own = Math.max(
    0,
    probes.findIndex((probe) => [probe.httpGet?.port, probe.tcpSocket?.port, probe.grpc?.port].includes(userPort ?? -1)),
  );
  const [first] = probes.splice(own, 1);
  if (serving !== undefined && first !== undefined) result.set(serving.name, askedAs(withoutPort(first, userPort)));
  const others = containers.filter((container) => container !== serving);
  probes.forEach((probe, index) => {
    const container = others[index];
    if (container !== undefined) result.set(container.name, askedAs(probe));
  });
  return result;
}

// The declared port may be another one on this machine, so the serving container's probe goes to wherever it listens.
function withoutPort(probe: Probe, userPort: number | undefined): Probe {
  const { httpGet, tcpSocket, ...rest } = probe;
  return {
    ...rest,
    ...(httpGet === undefined ? {} : { httpGet: httpGet.port === userPort ? { ...httpGet, port: 0 } : httpGet }),
    ...(tcpSocket === undefined ? {} : { tcpSocket: tcpSocket.port === userPort ? { port: 0 } : tcpSocket }),
  };
}

/** The volumes of a Pod with their files as they are now. Throws `MissingReference`. */
export function volumeSpecs(pod: Pod, view: ResourceView): VolumeSpec[] {
  return (pod.spec.volumes ?? []).map((volume) => {
    const files = volumeFiles(pod, volume, view);
    return { name: volume.name, ...(files === undefined ? {} : { files }) };
  });
}

type Volume = NonNullable<Pod['spec']['volumes']>[number];
interface Item {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

/** Files of a volume; `undefined` for an empty directory. */
function volumeFiles(pod: Pod, volume: Volume, view: ResourceView): VolumeFile[] | undefined {
  const namespace = pod.metadata.namespace ?? 'default';
  if (volume.configMap !== undefined) {
    const { name = '', optional, items, defaultMode } = volume.configMap;
    return pick(configMapData(view, namespace, name, optional), items, defaultMode);
  }
  if (volume.secret !== undefined) {
    const { secretName = '', optional, items, defaultMode } = volume.secret;
    return pick(secretData(view, namespace, secretName, optional), items, defaultMode);
  }
  if (volume.downwardAPI !== undefined) return downward(pod, volume.downwardAPI.items, volume.downwardAPI.defaultMode);
  if (volume.projected === undefined) return undefined;
  const { sources = [], defaultMode } = volume.projected;
  return sources.flatMap((source): VolumeFile[] => {
    if (source.configMap !== undefined) {
      const { name = '', optional, items } = source.configMap;
      return pick(configMapData(view, namespace, name, optional), items, defaultMode);
    }
    if (source.secret !== undefined) {
      const { name = '', optional, items } = source.secret;
      return pick(secretData(view, namespace, name, optional), items, defaultMode);
    }
    return source.downwardAPI === undefined ? [] : downward(pod, source.downwardAPI.items, defaultMode);
  });
}

function pick(
  data: Readonly<Record<string, string>>,
  items: readonly Item[] | undefined,
  mode: number | undefined,
): VolumeFile[] {
  const chosen = items ?? Object.keys(data).map((key): Item => ({ key, path: key }));
  return chosen.flatMap(({ key, path, mode: own }) => {
    const content = data[key];
    const bits = own ?? mode;
    return content === undefined ? [] : [{ path, content, ...(bits === undefined ? {} : { mode: bits }) }];
  });
}

function downward(
  pod: Pod,
  items: readonly { path: string; fieldRef?: { fieldPath: string } }[] | undefined,
  mode: number | undefined,
): VolumeFile[] {
  return (items ?? []).map(({ path, fieldRef }) => ({
    path,
    content: fieldRef === undefined ? '' : fieldOf(pod, fieldRef.fieldPath),
    ...(mode === undefined ? {} : { mode }),
  }));
}
