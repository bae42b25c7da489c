import { configMaps } from '../../api/core/config-map.ts';
import type { Container, EnvVar } from '../../api/core/container.ts';
import type { Pod } from '../../api/core/pod.ts';
import { secrets } from '../../api/core/secret.ts';
import type { ResourceView } from '../../controller/resource-store.ts';
import { parseQuantity, wholeValue } from '../../quantity.ts';

/** Thrown inside this folder when a reference cannot be resolved yet: the container then waits with reason CreateContainerConfigError. */
export class MissingReference extends Error {}

/**
 * Environment of a container as a kubelet makes it: envFrom first, then env, `$(NAME)` replaced by what stands before. Throws
 * `MissingReference` for a config map, secret or key that is not there and not optional.
 */
export function resolveEnvironment(container: Container, pod: Pod, view: ResourceView): Record<string, string> {
  const namespace = pod.metadata.namespace ?? 'default';
  const environment: Record<string, string> = {};
  for (const source of container.envFrom ?? []) {
    const reference = source.configMapRef ?? source.secretRef;
    if (reference === undefined) continue;
    const data =
      source.configMapRef === undefined
        ? secretData(view, namespace, reference.name ?? '', reference.optional)
        : configMapData(view, namespace, reference.name ?? '', reference.optional);
    for (const [key, value] of Object.entries(data)) environment[`${source.prefix ?? ''}${key}`] = value;
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, container, pod, view);
    if (value !== undefined) environment[variable.name] = expand(value, environment);
  }
  return environment;
}

/** Replaces `$(NAME)` by the variable's value; unknown names stay, `$$` is a plain `$`. Source: Kubernetes' expansion rule. */
export function expand(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\$|\(([^()]*)\))/g, (whole, inner: string, name: string | undefined) =>
    inner === '$' ? '$' : name !== undefined && Object.hasOwn(environment, name) ? (environment[name] ?? '') : whole,
  );
}

function valueOf(variable: EnvVar, container: Container, pod: Pod, view: ResourceView): string | undefined {
  const { valueFrom } = variable;
  if (valueFrom === undefined) return variable.value ?? '';
  const namespace = pod.metadata.namespace ?? 'default';
  if (valueFrom.configMapKeyRef !== undefined) {
    const { name = '', key, optional } = valueFrom.configMapKeyRef;
    return keyOf(
      'configmap',
      configMapData(view, namespace, String(name), optional === true),
      namespace,
      String(name),
      String(key),
      optional === true,
    );
  }
  if (valueFrom.secretKeyRef !== undefined) {
    const { name = '', key, optional } = valueFrom.secretKeyRef;
    return keyOf(
      'secret',
      secretData(view, namespace, String(name), optional === true),
      namespace,
      String(name),
      String(key),
      optional === true,
    );
  }
  if (valueFrom.fieldRef !== undefined) return fieldOf(pod, valueFrom.fieldRef.fieldPath);
  if (valueFrom.resourceFieldRef !== undefined) return resourceOf(container, valueFrom.resourceFieldRef.resource);
  return '';
}

function keyOf(
  kind: string,
  data: Record<string, string>,
  namespace: string,
  name: string,
  key: string,
  optional: boolean | undefined,
): string | undefined {
  const value = data[key];
  if (value === undefined && optional !== true)
    throw new MissingReference(`couldn't find key ${key} in ${kind} ${namespace}/${name}`);
  return value;
}

export function configMapData(
  view: ResourceView,
  namespace: string,
  name: string,
  optional: boolean | undefined,
): Record<string, string> {
  const found = view.get(configMaps, namespace, name);
  if (found === undefined && optional !== true) throw new MissingReference(`configmap "${name}" not found`);
  return found?.data ?? {};
}

/** Data of a secret, decoded as UTF-8. */
export function secretData(
  view: ResourceView,
  namespace: string,
  name: string,
  optional: boolean | undefined,
): Record<string, string> {
  const found = view.get(secrets, namespace, name);
  if (found === undefined && optional !== true) throw new MissingReference(`secret "${name}" not found`);
  const decoded = Object.entries(found?.data ?? {}).map(([key, value]): [string, string] => [
    key,
    Buffer.from(value, 'base64').toString('utf8'),
  ]);
  return { ...Object.fromEntries(decoded), ...found?.stringData };
}

/** The downward API's fields of a Pod that mean something on one machine. */
export function fieldOf(pod: Pod, path: string): string {
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (keyed !== null) return (keyed[1] === 'labels' ? pod.metadata.labels : pod.metadata.annotations)?.[keyed[2] ?? ''] ?? '';
  const fields: Record<string, string | undefined> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'spec.serviceAccountName': pod.spec.serviceAccountName,
    'spec.nodeName': 'localhost',
    'status.hostIP': '127.0.0.1',
    'status.podIP': '127.0.0.1',
    'status.podIPs': '127.0.0.1',
  };
  return fields[path] ?? '';
}

function resourceOf(container: Container, resource: string): string {
  const [group, name = ''] = resource.split('.');
  const text = (group === 'requests' ? container.resources?.requests : container.resources?.limits)?.[name];
  const parsed = text === undefined ? undefined : parseQuantity(text);
  return parsed === undefined ? '0' : String(wholeValue(parsed));
}
