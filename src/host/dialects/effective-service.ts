import { autoscalingAnnotations, findAnnotation, type AnnotationSpellings } from '../../api/autoscaling/annotation-keys.ts';
import { parseGoDurationValue } from '../../api/autoscaling/go-values.ts';
import type { AdmissionContext } from '../../api/kind.ts';
import type { Resource } from '../../api/resource.ts';
import { listAt, numberAt, objectAt, textAt, textEntries, type JsonObject } from './json-path.ts';

/** What a Service or Configuration comes down to: scaling, port, visibility, environment, traffic. */
export function effectiveService(resource: Resource, config: NonNullable<AdmissionContext['config']>): JsonObject {
  const template = objectAt(resource, 'spec', 'template');
  const spec = objectAt(template, 'spec');
  const container = servingContainer(spec);
  const port = objectAt(container, 'ports', 0);
  const portName = textAt(port, 'name') ?? '';
  const settings: JsonObject = {
    kind: resource.kind,
    name: resource.metadata.name,
    ...scaleSettings(objectAt(template, 'metadata', 'annotations')),
    containerConcurrency: numberAt(spec, 'containerConcurrency') ?? 0,
    timeoutSeconds: numberAt(spec, 'timeoutSeconds') ?? 300,
    port: numberAt(port, 'containerPort') ?? 8080,
    protocol: portName === 'h2c' ? 'h2c' : 'http1',
    visibility: visibilityOf(resource),
    ingressContainer: textAt(container, 'name'),
    env: literalEnv(container),
  };
  Object.assign(settings, needs(spec));
  const traffic = listAt(resource, 'spec', 'traffic').map(trafficSetting);
  if (traffic.length > 0) settings['traffic'] = traffic;
  const waiting = missingRevision(resource);
  if (waiting !== undefined) settings['routeReadiness'] = `False until revision ${waiting} exists (reason RevisionMissing)`;
  if (settings['visibility'] === 'public') {
    settings['url'] = `http://${resource.metadata.name}.${resource.metadata.namespace ?? 'default'}.${domainOf(config)}`;
  }
  return settings;
}

function servingContainer(spec: JsonObject | undefined): unknown {
  const containers = listAt(spec, 'containers');
  return containers.find((container) => listAt(container, 'ports').length > 0) ?? containers[0];
}

function scaleSettings(annotations: JsonObject | undefined): JsonObject {
  const values = Object.fromEntries(textEntries(annotations));
  const numberOf = (spellings: AnnotationSpellings): number | undefined => {
    const text = findAnnotation(values, spellings)?.value;
    return text === undefined ? undefined : Number(text);
  };
  const settings: JsonObject = {
    minScale: numberOf(autoscalingAnnotations.minScale) ?? 0,
    maxScale: numberOf(autoscalingAnnotations.maxScale) ?? 0,
  };
  const initialScale = numberOf(autoscalingAnnotations.initialScale);
  const target = numberOf(autoscalingAnnotations.target);
  const delay = findAnnotation(values, autoscalingAnnotations.scaleDownDelay)?.value;
  const parsed = delay === undefined ? undefined : parseGoDurationValue(delay);
  if (initialScale !== undefined) settings['initialScale'] = initialScale;
  if (target !== undefined) settings['target'] = target;
  if (parsed !== undefined && 'ms' in parsed) settings['scaleDownDelaySeconds'] = parsed.ms / 1_000;
  return settings;
}

export function visibilityOf(resource: Resource): 'public' | 'cluster-local' {
  return resource.metadata.labels?.['networking.knative.dev/visibility'] === 'cluster-local' ? 'cluster-local' : 'public';
}

function literalEnv(container: unknown): JsonObject {
  const env: JsonObject = {};
  for (const variable of listAt(container, 'env')) {
    const name = textAt(variable, 'name');
    if (name !== undefined && objectAt(variable, 'valueFrom') === undefined) env[name] = textAt(variable, 'value') ?? '';
  }
  return env;
}

/** Secrets (`name/key`, or `name` for whole ones) and config maps that must exist before an instance can start. */
function needs(spec: JsonObject | undefined): JsonObject {
  const secrets = new Set<string>();
  const maps = new Set<string>();
  for (const container of listAt(spec, 'containers')) {
    for (const variable of listAt(container, 'env')) {
      const secret = objectAt(variable, 'valueFrom', 'secretKeyRef');
      const map = textAt(variable, 'valueFrom', 'configMapKeyRef', 'name');
      if (secret !== undefined) secrets.add(`${textAt(secret, 'name') ?? ''}/${textAt(secret, 'key') ?? ''}`);
      if (map !== undefined) maps.add(map);
    }
    for (const source of listAt(container, 'envFrom')) {
      const secret = textAt(source, 'secretRef', 'name');
      const map = textAt(source, 'configMapRef', 'name');
      if (secret !== undefined) secrets.add(secret);
      if (map !== undefined) maps.add(map);
    }
  }
  for (const volume of listAt(spec, 'volumes')) {
    const secret = textAt(volume, 'secret', 'secretName');
    const map = textAt(volume, 'configMap', 'name');
    if (secret !== undefined) secrets.add(secret);
    if (map !== undefined) maps.add(map);
  }
  return {
    ...(secrets.size === 0 ? {} : { secretsNeeded: [...secrets] }),
    ...(maps.size === 0 ? {} : { configMapsNeeded: [...maps] }),
  };
}

function trafficSetting(target: unknown): JsonObject {
  const revisionName = textAt(target, 'revisionName');
  const tag = textAt(target, 'tag');
  return {
    ...(revisionName === undefined ? { latestRevision: true } : { revisionName }),
    percent: numberAt(target, 'percent') ?? 0,
    ...(tag === undefined ? {} : { tag }),
  };
}

/** A revision that traffic names and that this object does not make itself. */
function missingRevision(resource: Resource): string | undefined {
  const own = textAt(resource, 'spec', 'template', 'metadata', 'name');
  return listAt(resource, 'spec', 'traffic')
    .map((target) => textAt(target, 'revisionName') ?? '')
    .find((name) => name !== '' && name !== own);
}

/** The domain of objects without labels. */
export function domainOf(config: NonNullable<AdmissionContext['config']>): string {
  const domains = Object.entries(config('config-domain') ?? {}).filter(
    ([name, value]) => name !== '_example' && value.trim() === '',
  );
  return domains[0]?.[0] ?? 'svc.cluster.local';
}
