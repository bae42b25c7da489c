import type { Container, Probe } from '../../api/core/container.ts';
import type { PodSpec } from '../../api/core/pod-spec.ts';
import type { Revision } from '../../api/serving/revision.ts';
import { mostSpecific } from '../config/selection.ts';
import { annotationKeys, labelKeys } from '../keys.ts';
import { makeQueueContainer, queueContainerName, variable } from './queue-proxy.ts';
import { portNumber } from './readiness-probes.ts';
import type { RevisionConfig } from './revision-config.ts';
import { isServing, ports, userPortOf } from './revision-containers.ts';

type Volume = NonNullable<PodSpec['volumes']>[number];
type VolumeMount = NonNullable<Container['volumeMounts']>[number];

/** Name of the certificate and secret that queue-proxies serve TLS with, one per namespace. */
export const servingCertificateName = 'serving-certs';

/** The pod of a Revision: user containers with digests, the queue-proxy last; or the error that keeps it from being made. */
export function makePodSpec(revision: Revision, config: RevisionConfig): PodSpec | { readonly error: string } {
  const { spec, metadata } = revision;
  const { deployment } = config;
  const made = makeQueueContainer(revision, config);
  if ('error' in made) return { error: `failed to create queue-proxy container: ${made.error}` };
  const extra = queueVolumes(revision, config);
  const queue = extra.mounts.length > 0 ? { ...made, volumeMounts: extra.mounts } : made;
  let containers = [...makeUserContainers(revision, config.features.multiContainerProbing === 'Enabled'), queue];
  const volumes: Volume[] = [...(spec.volumes ?? []), ...extra.volumes];
  if (config.observability.enableVarLogCollection) {
    volumes.push({ name: 'knative-var-log', emptyDir: {} });
    containers = containers.map((container) => (container.name === queueContainerName ? container : withVarLog(container)));
  }
  const {
    containerConcurrency: _concurrency,
    timeoutSeconds,
    responseStartTimeoutSeconds: _start,
    idleTimeoutSeconds: _idle,
    ...pod
  } = spec;
  const runtimeClassName = pod.runtimeClassName ?? mostSpecific(deployment.runtimeClasses, metadata.labels);
  const enableServiceLinks = pod.enableServiceLinks ?? config.defaults.enableServiceLinks;
  return {
    ...pod,
    containers,
    ...(volumes.length > 0 && { volumes }),
    ...(timeoutSeconds !== undefined && { terminationGracePeriodSeconds: timeoutSeconds }),
    ...(enableServiceLinks !== undefined && { enableServiceLinks }),
    ...(runtimeClassName !== undefined && { runtimeClassName }),
    ...(deployment.defaultAffinityType !== 'none' && pod.affinity === undefined && { affinity: spreadOverNodes(metadata.name) }),
  };
}

/** The user's containers as they run: with digests, Knative's environment, a drained stop, and without the probes that the queue-proxy runs. */
export function makeUserContainers(revision: Revision, allowCustomPort: boolean): Container[] {
  const { spec, status } = revision;
  return spec.containers.map((container, index) => {
    const serving = isServing(container) || spec.containers.length === 1;
    const digest = status?.containerStatuses?.[index]?.imageDigest ?? '';
    return {
      ...(serving ? makeServingContainer(container, revision, allowCustomPort) : makeContainer(container, revision)),
      ...(digest !== '' && { image: digest }),
    };
  });
}

function makeServingContainer(container: Container, revision: Revision, allowCustomPort: boolean): Container {
  const userPort = userPortOf(revision.spec);
  const made = makeContainer({ ...container, env: [...(container.env ?? []), variable('PORT', userPort)] }, revision);
  const livenessProbe = made.livenessProbe && rewriteLivenessProbe(made.livenessProbe, userPort, allowCustomPort);
  return {
    ...made,
    ports: [{ name: 'user-port', containerPort: userPort }],
    ...(livenessProbe !== undefined && { livenessProbe }),
  };
}

function makeContainer(container: Container, revision: Revision): Container {
  const { readinessProbe: probe, stdin: _stdin, tty: _tty, ...rest } = container;
  const labels = revision.metadata.labels;
  const byQueue = probe?.httpGet !== undefined || probe?.tcpSocket !== undefined || probe?.grpc !== undefined;
  return {
    ...rest,
    ...(probe !== undefined && !byQueue && { readinessProbe: probe }),
    lifecycle: { preStop: { httpGet: { port: ports.queueAdmin, path: '/wait-for-drain' } } },
    env: [
      ...(container.env ?? []),
      variable('K_REVISION', revision.metadata.name),
      variable('K_CONFIGURATION', labels?.[labelKeys.configuration]),
      variable('K_SERVICE', labels?.[labelKeys.service]),
    ],
    terminationMessagePolicy: container.terminationMessagePolicy || 'FallbackToLogsOnError',
  };
}

/** Liveness probes stay with the kubelet, on the user port; gRPC probes keep theirs. */
function rewriteLivenessProbe(probe: Probe, userPort: number, allowCustomPort: boolean): Probe {
  const { httpGet, tcpSocket } = probe;
  const isOwn = (port: number | string | undefined): boolean => allowCustomPort && portNumber(port) !== 0;
  if (httpGet !== undefined) return isOwn(httpGet.port) ? probe : { ...probe, httpGet: { ...httpGet, port: userPort } };
  if (tcpSocket !== undefined) return isOwn(tcpSocket.port) ? probe : { ...probe, tcpSocket: { ...tcpSocket, port: userPort } };
  return probe;
}

/** Volumes of the queue-proxy: pod information, service account tokens, its certificate. */
function queueVolumes(revision: Revision, config: RevisionConfig): { mounts: VolumeMount[]; volumes: Volume[] } {
  const mounts: VolumeMount[] = [];
  const volumes: Volume[] = [];
  const flag = config.features.queueProxyMountPodInfo;
  const asked = revision.metadata.annotations?.[annotationKeys.queueProxyPodInfo]?.toLowerCase() === 'enabled';
  if (flag === 'Enabled' || (flag === 'Allowed' && asked)) {
    mounts.push({ name: 'pod-info', mountPath: '/etc/podinfo', readOnly: true });
    const items = [{ path: 'annotations', fieldRef: { fieldPath: 'metadata.annotations' } }];
    volumes.push({ name: 'pod-info', downwardAPI: { items } });
  }
  const audiences = [...config.deployment.queueSidecarTokenAudiences].filter((audience) => audience !== '').sort();
  if (audiences.length > 0) {
    mounts.push({ name: 'knative-token-volume', mountPath: '/var/run/secrets/tokens' });
    const sources = audiences.map((audience) => ({
      serviceAccountToken: { expirationSeconds: 3_600, path: audience, audience },
    }));
    volumes.push({ name: 'knative-token-volume', projected: { sources } });
  }
  if (config.network.systemInternalTLS === 'enabled') {
    mounts.push({ name: 'server-certs', mountPath: '/var/lib/knative/certs', readOnly: true });
    volumes.push({ name: 'server-certs', secret: { secretName: servingCertificateName } });
  }
  return { mounts, volumes };
}

function withVarLog(container: Container): Container {
  return {
    ...container,
    volumeMounts: [
      ...(container.volumeMounts ?? []),
      {
        name: 'knative-var-log',
        mountPath: '/var/log',
        subPathExpr: `$(K_INTERNAL_POD_NAMESPACE)_$(K_INTERNAL_POD_NAME)_${container.name ?? ''}`,
      },
    ],
    env: [
      ...(container.env ?? []),
      { name: 'K_INTERNAL_POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'K_INTERNAL_POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    ],
  };
}

function spreadOverNodes(revision: string): NonNullable<PodSpec['affinity']> {
  return {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchLabels: { [labelKeys.revision]: revision } },
          },
        },
      ],
    },
  };
}
