import type { Container, ContainerPort, EnvVar, Probe } from '../../api/core/container.ts';
import type { Revision } from '../../api/serving/revision.ts';
import { annotationKeys, labelKeys } from '../keys.ts';
import { controllerOf } from '../metadata.ts';
import { queueResources } from './queue-resources.ts';
import { readinessProbes } from './readiness-probes.ts';
import type { RevisionConfig } from './revision-config.ts';
import { ports, protocolOf, servingContainer, userPortOf } from './revision-containers.ts';

export const queueContainerName = 'queue-proxy';
/** Namespace of Knative's own components. */
export const systemNamespace = 'knative-serving';

/** The queue-proxy that stands before a revision's serving container, or the error that keeps it from being made. */
export function makeQueueContainer(revision: Revision, config: RevisionConfig): Container | { readonly error: string } {
  const { annotations } = revision.metadata;
  const { deployment, features, observability } = config;
  const user = servingContainer(revision.spec);
  const servingPort = protocolOf(revision) === 'h2c' ? ports.backendHttp2 : ports.backendHttp;
  const multiContainerProbing = features.multiContainerProbing === 'Enabled';
  const probes = readinessProbes(revision.spec, multiContainerProbing);
  if ('error' in probes) return probes;
  const image = deployment.queueSidecarImage;
  return {
    name: queueContainerName,
    ...(image !== '' && { image }),
    resources: queueResources(deployment, annotations, user, features.queueProxyResourceDefaults === 'Enabled'),
    ports: queuePorts(servingPort, observability.profiling),
    ...(user?.readinessProbe !== undefined && { readinessProbe: queueReadinessProbe(user.readinessProbe, servingPort) }),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    env: queueEnvironment(revision, config, servingPort, probes.text),
  };
}

function queuePorts(servingPort: number, profiling: boolean): ContainerPort[] {
  return [
    { name: 'http-autometric', containerPort: ports.autoscalingQueueMetrics },
    { name: 'http-usermetric', containerPort: ports.userQueueMetrics },
    ...(profiling ? [{ name: 'profiling-port', containerPort: ports.profiling }] : []),
    { name: 'queue-port', containerPort: servingPort },
    { name: 'https-port', containerPort: ports.backendHttps },
  ];
}

/** The kubelet asks the queue-proxy, with the user probe's timing; the queue-proxy asks the container. */
function queueReadinessProbe(user: Probe, servingPort: number): Probe {
  const { exec: _exec, httpGet: _httpGet, tcpSocket: _tcpSocket, grpc: _grpc, ...timing } = user;
  return { ...timing, httpGet: { port: servingPort, httpHeaders: [{ name: 'K-Network-Probe', value: 'queue' }] } };
}

function queueEnvironment(revision: Revision, config: RevisionConfig, servingPort: number, probe: string): EnvVar[] {
  const { metadata, spec } = revision;
  const { deployment, features, logging, observability } = config;
  const owner = controllerOf(revision);
  const fullDuplex = metadata.annotations?.[annotationKeys.allowHttpFullDuplex]?.toLowerCase() === 'enabled';
  return [
    variable('SERVING_NAMESPACE', metadata.namespace),
    variable('SERVING_SERVICE', metadata.labels?.[labelKeys.service]),
    variable('SERVING_CONFIGURATION', owner?.kind === 'Configuration' ? owner.name : ''),
    variable('SERVING_REVISION', metadata.name),
    variable('QUEUE_SERVING_PORT', servingPort),
    variable('QUEUE_SERVING_TLS_PORT', ports.backendHttps),
    variable('CONTAINER_CONCURRENCY', spec.containerConcurrency ?? 0),
    variable('REVISION_TIMEOUT_SECONDS', spec.timeoutSeconds ?? 0),
    variable('REVISION_RESPONSE_START_TIMEOUT_SECONDS', spec.responseStartTimeoutSeconds ?? 0),
    variable('REVISION_IDLE_TIMEOUT_SECONDS', spec.idleTimeoutSeconds ?? 0),
    { name: 'SERVING_POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'SERVING_POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    variable('SERVING_LOGGING_CONFIG', logging.config),
    variable('SERVING_LOGGING_LEVEL', logging.queueProxyLevel),
    variable('USER_PORT', userPortOf(spec)),
    variable('SYSTEM_NAMESPACE', systemNamespace),
    variable('SERVING_READINESS_PROBE', probe),
    { name: 'HOST_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.hostIP' } } },
    variable('ENABLE_HTTP2_AUTO_DETECTION', features.autoDetectHTTP2 === 'Enabled'),
    variable('ENABLE_HTTP_FULL_DUPLEX', fullDuplex),
    variable('ROOT_CA', deployment.queueSidecarRootCA),
    variable('QUEUE_PROXY_TLS_MIN_VERSION', deployment.queueSidecarTLSMinVersion),
    variable('QUEUE_PROXY_TLS_MAX_VERSION', deployment.queueSidecarTLSMaxVersion),
    variable('QUEUE_PROXY_TLS_CIPHER_SUITES', deployment.queueSidecarTLSCipherSuites),
    variable('QUEUE_PROXY_TLS_CURVE_PREFERENCES', deployment.queueSidecarTLSCurvePreferences),
    variable('ENABLE_MULTI_CONTAINER_PROBES', features.multiContainerProbing === 'Enabled'),
    variable('OBSERVABILITY_CONFIG', observability.json),
  ];
}

/** A variable; an empty value is left out, as Go leaves it out. */
export function variable(name: string, value: string | number | boolean | undefined): EnvVar {
  const text = value === undefined ? '' : String(value);
  return text === '' ? { name } : { name, value: text };
}
