import { unsupported, type ReportLine, type Translation } from './dialect.ts';
import { environmentOf, reportFields, type FieldMeaning } from './code-engine-fields.ts';
import { listAt, numberAt, objectAt, textAt, type JsonObject } from './json-path.ts';

const means = (message: string): FieldMeaning => ({ level: 'mapped', message });
const limit: FieldMeaning = { level: 'info', message: 'resource limit, not enforced locally' };
const bookkeeping: FieldMeaning = { level: 'info', message: 'kept by the service itself' };

const meanings: Readonly<Record<string, FieldMeaning>> = {
  image_reference: means('image'),
  image_port: means('containerPort'),
  image_secret: { level: 'info', message: 'images are not pulled here' },
  managed_domain_mappings: means('local: reachable inside only; local_public: everywhere'),
  probe_liveness: means('livenessProbe'),
  probe_readiness: means('readinessProbe'),
  run_arguments: means('args'),
  run_commands: means('command'),
  run_as_user: means('securityContext.runAsUser'),
  run_env_variables: means('env'),
  run_service_account: { level: 'info', message: 'service accounts are not enforced here' },
  run_volume_mounts: means('volumes and volumeMounts'),
  scale_concurrency: means('spec.template.spec.containerConcurrency'),
  scale_concurrency_target: means('autoscaling.knative.dev/target'),
  scale_cpu_limit: limit,
  scale_memory_limit: limit,
  scale_ephemeral_storage_limit: { level: 'info', message: 'not enforced locally' },
  scale_down_delay: means('autoscaling.knative.dev/scale-down-delay in seconds'),
  scale_initial_instances: means('autoscaling.knative.dev/initial-scale'),
  scale_max_instances: means('autoscaling.knative.dev/max-scale'),
  scale_min_instances: means('autoscaling.knative.dev/min-scale'),
  scale_request_timeout: means('spec.template.spec.timeoutSeconds'),
  ...Object.fromEntries(
    [
      'id',
      'entity_tag',
      'created_at',
      'href',
      'project_id',
      'region',
      'status',
      'status_details',
      'endpoint',
      'endpoint_internal',
    ].map((field) => [field, bookkeeping]),
  ),
};

/** An app body becomes a Service with the same scaling. Defaults are Code Engine's: 100 requests at once, 10 instances at most. */
export function translateApp(document: JsonObject): Translation {
  const name = textAt(document, 'name') ?? '';
  const visibility = textAt(document, 'managed_domain_mappings') ?? 'local_public';
  const { volumes, mounts, report } = volumesOf(document);
  return {
    verdict: 'translate',
    objects: [
      {
        apiVersion: 'serving.knative.dev/v1',
        kind: 'Service',
        metadata: {
          name,
          ...(visibility === 'local_public' ? {} : { labels: { 'networking.knative.dev/visibility': 'cluster-local' } }),
        },
        spec: {
          template: {
            metadata: { annotations: scaling(document) },
            spec: {
              containerConcurrency: numberAt(document, 'scale_concurrency') ?? 100,
              timeoutSeconds: numberAt(document, 'scale_request_timeout') ?? 300,
              containers: [makeContainer(document, mounts)],
              ...(volumes.length === 0 ? {} : { volumes }),
            },
          },
        },
      },
    ],
    report: [...reportFields(document, meanings), ...report],
  };
}

function scaling(document: JsonObject): JsonObject {
  const annotations: JsonObject = {};
  const set = (name: string, value: number | undefined, unit = ''): void => {
    if (value !== undefined) annotations[`autoscaling.knative.dev/${name}`] = `${value}${unit}`;
  };
  set('min-scale', numberAt(document, 'scale_min_instances'));
  set('max-scale', numberAt(document, 'scale_max_instances') ?? 10);
  set('initial-scale', numberAt(document, 'scale_initial_instances'));
  set('target', numberAt(document, 'scale_concurrency_target') ?? numberAt(document, 'scale_concurrency') ?? 100);
  set('scale-down-delay', numberAt(document, 'scale_down_delay'), 's');
  return annotations;
}

function makeContainer(document: JsonObject, mounts: readonly JsonObject[]): JsonObject {
  const { env, envFrom } = environmentOf(document);
  const limits: JsonObject = {};
  for (const [resource, field] of [
    ['cpu', 'scale_cpu_limit'],
    ['memory', 'scale_memory_limit'],
    ['ephemeral-storage', 'scale_ephemeral_storage_limit'],
  ] as const) {
    const amount = document[field];
    if (typeof amount === 'string' || typeof amount === 'number') limits[resource] = String(amount);
  }
  const port = numberAt(document, 'image_port') ?? 8080;
  const container: JsonObject = { image: textAt(document, 'image_reference') ?? '', ports: [{ containerPort: port }] };
  const put = (field: string, value: readonly unknown[] | JsonObject | undefined): void => {
    if (value !== undefined && Object.keys(value).length > 0) container[field] = value;
  };
  put('command', listAt(document, 'run_commands'));
  put('args', listAt(document, 'run_arguments'));
  put('env', env);
  put('envFrom', envFrom);
  put('volumeMounts', mounts);
  if (Object.keys(limits).length > 0) container['resources'] = { limits };
  put('readinessProbe', probeOf(objectAt(document, 'probe_readiness')));
  put('livenessProbe', probeOf(objectAt(document, 'probe_liveness')));
  const user = numberAt(document, 'run_as_user');
  if (user !== undefined) container['securityContext'] = { runAsUser: user };
  return container;
}

function probeOf(probe: JsonObject | undefined): JsonObject | undefined {
  if (probe === undefined) return undefined;
  const port = numberAt(probe, 'port');
  const action = port === undefined ? {} : { port };
  const result: JsonObject =
    textAt(probe, 'type') === 'tcp' ? { tcpSocket: action } : { httpGet: { ...action, path: textAt(probe, 'path') ?? '/' } };
  for (const [field, source] of [
    ['initialDelaySeconds', 'initial_delay'],
    ['periodSeconds', 'interval'],
    ['timeoutSeconds', 'timeout'],
    ['failureThreshold', 'failure_threshold'],
  ] as const) {
    const value = numberAt(probe, source);
    if (value !== undefined) result[field] = value;
  }
  return result;
}

interface Mounted {
  readonly volumes: readonly JsonObject[];
  readonly mounts: readonly JsonObject[];
  readonly report: readonly ReportLine[];
}

function volumesOf(document: JsonObject): Mounted {
  const volumes: JsonObject[] = [];
  const mounts: JsonObject[] = [];
  const report: ReportLine[] = [];
  listAt(document, 'run_volume_mounts').forEach((entry, index) => {
    const name = textAt(entry, 'name') ?? `volume-${index}`;
    const reference = textAt(entry, 'reference') ?? '';
    const type = textAt(entry, 'type');
    if (type === 'secret') volumes.push({ name, secret: { secretName: reference } });
    else if (type === 'config_map') volumes.push({ name, configMap: { name: reference } });
    else {
      report.push(
        unsupported(
          `run_volume_mounts[${index}]`,
          `volumes of type ${type ?? ''} need a directory mapping in the host configuration`,
        ),
      );
      return;
    }
    mounts.push({ name, mountPath: textAt(entry, 'mount_path') ?? '' });
  });
  return { volumes, mounts, report };
}
