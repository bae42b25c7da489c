import { childName } from '../child-name.ts';
import type { Container, Probe, SecurityContext } from '../core/container.ts';
import { executeGoTemplate, type GoTemplate } from '../go-template.ts';
import type { AdmissionContext } from '../kind.ts';
import type { ObjectMeta } from '../resource.ts';
import { metadataForTemplate, type DefaultsConfig } from './config-defaults.ts';
import type { Revision, RevisionSpec } from './revision.ts';
import { servingConfigOf, type ServingConfig } from './serving-config.ts';
import { isUpdate } from './user-info.ts';

/** Revisions are immutable: only a new one gets defaults. */
export function defaultRevision(revision: Revision, context: AdmissionContext): Revision {
  return isUpdate(context) ? revision : { ...revision, spec: defaultRevisionSpec(revision.spec, {}, context) };
}

/**
 * A copy of a Revision's spec with defaults; what does not change is shared. `parent` is the object whose template it is: container
 * names may be made from its metadata. Source: knative/serving pkg/apis/serving/v1/revision_defaults.go.
 */
export function defaultRevisionSpec(spec: RevisionSpec, parent: Partial<ObjectMeta>, context: AdmissionContext): RevisionSpec {
  const config = servingConfigOf(context);
  const { defaults } = config;
  const { containers, initContainers } = defaultNames(spec, parent, defaults);
  const result: RevisionSpec = {
    ...spec,
    ...defaultTimeouts(spec, defaults),
    containerConcurrency: spec.containerConcurrency ?? defaults.containerConcurrency,
    containers: containers.map((container) => defaultContainer(spec, container, config)),
  };
  if (initContainers !== undefined) {
    result.initContainers = initContainers.map((container) => withSecureDefaults(spec, container, config));
  }
  const links = defaults.enableServiceLinks;
  if (spec.enableServiceLinks === undefined && links !== undefined && !isUpdate(context) && containers.length > 0) {
    result.enableServiceLinks = links;
  }
  return result;
}

type Timeouts = Pick<RevisionSpec, 'timeoutSeconds' | 'idleTimeoutSeconds' | 'responseStartTimeoutSeconds'>;

/** The other timeouts are filled in only where they are shorter than the whole. */
function defaultTimeouts(spec: RevisionSpec, defaults: DefaultsConfig): Timeouts {
  const timeoutSeconds =
    spec.timeoutSeconds === undefined || spec.timeoutSeconds === 0 ? defaults.revisionTimeoutSeconds : spec.timeoutSeconds;
  const timeouts: Timeouts = { timeoutSeconds };
  const fill = (key: 'idleTimeoutSeconds' | 'responseStartTimeoutSeconds', value: number): void => {
    if (spec[key] === undefined && value !== 0 && value < timeoutSeconds) timeouts[key] = value;
  };
  fill('idleTimeoutSeconds', defaults.revisionIdleTimeoutSeconds);
  fill('responseStartTimeoutSeconds', defaults.revisionResponseStartTimeoutSeconds);
  return timeouts;
}

type Containers = Pick<RevisionSpec, 'containers' | 'initContainers'>;

function defaultNames(spec: RevisionSpec, parent: Partial<ObjectMeta>, defaults: DefaultsConfig): Containers {
  const { containers, initContainers } = spec;
  if (!hasUnnamed(containers) && !hasUnnamed(initContainers)) return spec;
  const names = new Set([...containers, ...(initContainers ?? [])].map(({ name }) => name));
  const nameOf = (template: GoTemplate): string => executeGoTemplate(template, metadataForTemplate(parent));
  const named: Containers = { containers: nameContainers(containers, names, nameOf(defaults.userContainerNameTemplate)) };
  if (initContainers !== undefined) {
    named.initContainers = nameContainers(initContainers, names, nameOf(defaults.initContainerNameTemplate));
  }
  return named;
}

const hasUnnamed = (containers: readonly Container[] | undefined): boolean =>
  containers?.some(({ name }) => name === '') === true;

/** Several containers, or a name that is taken: numbers are appended. */
function nameContainers(containers: readonly Container[], taken: ReadonlySet<string>, base: string): Container[] {
  let next = 0;
  return containers.map((container) => {
    if (container.name !== '') return container;
    let name = base;
    if (containers.length > 1 || taken.has(name)) {
      do name = childName(base, `-${next++}`);
      while (taken.has(name));
    }
    return { ...container, name };
  });
}

function defaultContainer(spec: RevisionSpec, container: Container, config: ServingConfig): Container {
  const result: Container = { ...container };
  defaultResources(result, config.defaults);
  defaultProbes(result, spec.containers.length === 1 || (container.ports?.length ?? 0) > 0);
  if (container.volumeMounts !== undefined) defaultMounts(result, spec);
  return withSecureDefaults(spec, result, config);
}

const resourceDefaults = [
  ['requests', 'cpu', 'revisionCpuRequest'],
  ['requests', 'memory', 'revisionMemoryRequest'],
  ['requests', 'ephemeral-storage', 'revisionEphemeralStorageRequest'],
  ['limits', 'cpu', 'revisionCpuLimit'],
  ['limits', 'memory', 'revisionMemoryLimit'],
  ['limits', 'ephemeral-storage', 'revisionEphemeralStorageLimit'],
] as const;

function defaultResources(container: Container, defaults: DefaultsConfig): void {
  for (const [list, resource, setting] of resourceDefaults) {
    const amount = defaults[setting];
    if (amount === undefined || container.resources?.[list]?.[resource] !== undefined) continue;
    container.resources = { ...container.resources, [list]: { ...container.resources?.[list], [resource]: amount } };
  }
}

function defaultProbes(container: Container, serving: boolean): void {
  const { readinessProbe } = container;
  if (readinessProbe !== undefined || serving) container.readinessProbe = defaultReadinessProbe(readinessProbe, serving);
  for (const name of ['readinessProbe', 'livenessProbe', 'startupProbe'] as const) {
    const probe = container[name];
    if (probe?.grpc !== undefined && probe.grpc.service === undefined) {
      container[name] = { ...probe, grpc: { ...probe.grpc, service: '' } };
    }
  }
}

function defaultReadinessProbe(given: Probe | undefined, serving: boolean): Probe {
  const probe: Probe = { ...given };
  const hasHandler =
    probe.tcpSocket !== undefined || probe.httpGet !== undefined || probe.exec !== undefined || probe.grpc !== undefined;
  if (serving && !hasHandler) probe.tcpSocket = {};
  probe.successThreshold ||= 1;
  // A period makes it an ordinary Kubernetes probe, with Kubernetes' defaults.
  if (probe.periodSeconds !== undefined && probe.periodSeconds !== 0) {
    probe.failureThreshold ||= 3;
    probe.timeoutSeconds ||= 1;
  }
  return probe;
}

/** What cannot be written to is mounted for reading. */
function defaultMounts(container: Container, spec: RevisionSpec): void {
  const writable = new Set<string>();
  for (const volume of spec.volumes ?? []) {
    if (volume.emptyDir !== undefined || volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined) {
      writable.add(volume.name);
    }
  }
  container.volumeMounts =
    container.volumeMounts?.map((mount) =>
      writable.has(mount.name) || mount.readOnly === true ? mount : { ...mount, readOnly: true },
    ) ?? [];
}

/** The restricted Pod security profile, where `secure-pod-defaults` asks for it and the container does not say otherwise. */
function withSecureDefaults(spec: RevisionSpec, container: Container, { features }: ServingConfig): Container {
  if (features.securePodDefaults === 'Disabled') return container;
  const pod = spec.securityContext;
  const context: SecurityContext = { ...container.securityContext };
  context.allowPrivilegeEscalation ??= false;
  if ((pod?.seccompProfile?.type ?? '') === '') {
    const type = context.seccompProfile?.type ?? '';
    context.seccompProfile = { ...context.seccompProfile, type: type === '' ? 'RuntimeDefault' : type };
  }
  if (context.capabilities === undefined) {
    const lowPort = container.ports?.some(({ containerPort = 0 }) => containerPort < 1_024) === true;
    context.capabilities = { drop: ['ALL'], ...(lowPort ? { add: ['NET_BIND_SERVICE'] } : {}) };
  }
  if (features.securePodDefaults === 'Enabled' && pod?.runAsNonRoot === undefined) context.runAsNonRoot ??= true;
  return { ...container, securityContext: context };
}
