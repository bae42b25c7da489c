import {
  also,
  genericError,
  invalidValue,
  missingField,
  noErrors,
  viaField,
  viaFieldIndex,
  type FieldErrors,
} from '../field-errors.ts';
import type { Container } from '../core/container.ts';
import { dns1123SubdomainProblems } from '../names.ts';
import type { FeaturesConfig } from './config-features.ts';
import {
  validateInitContainer,
  validateSidecarContainer,
  validateUserContainer,
  type ContainerSurroundings,
} from './container-validation.ts';
import { disallowedBy, fieldMask } from '../disallowed-fields.ts';
import type { RevisionSpec } from './revision.ts';
import { validatePodSecurityContext, warnInsecureDefaults } from './security-context-validation.ts';
import { validateVolumes } from './volume-validation.ts';

const podSpecMask = fieldMask(
  [
    'serviceAccountName',
    'containers',
    'volumes',
    'imagePullSecrets',
    'enableServiceLinks',
    'containerConcurrency',
    'timeoutSeconds',
    'responseStartTimeoutSeconds',
    'idleTimeoutSeconds',
  ],
  [
    'restartPolicy',
    'dnsPolicy',
    'serviceAccount',
    'nodeName',
    'hostNetwork',
    'hostPID',
    'hostIPC',
    'hostname',
    'subdomain',
    'schedulerName',
    'priorityClassName',
  ],
);

/** Fields of the Pod that a feature flag has to allow; `Allowed` is enough. */
const gatedFields = new Map<string, readonly (keyof FeaturesConfig)[]>([
  ['affinity', ['podSpecAffinity']],
  ['topologySpreadConstraints', ['podSpecTopologySpreadConstraints']],
  ['hostAliases', ['podSpecHostAliases']],
  ['nodeSelector', ['podSpecNodeSelector']],
  ['runtimeClassName', ['podSpecRuntimeClassName']],
  ['tolerations', ['podSpecTolerations']],
  ['securityContext', ['podSpecSecurityContext', 'securePodDefaults']],
  ['shareProcessNamespace', ['podSpecShareProcessNamespace']],
  ['priorityClassName', ['podSpecPriorityClassName']],
  ['schedulerName', ['podSpecSchedulerName']],
  ['initContainers', ['podSpecInitContainers']],
  ['dnsPolicy', ['podSpecDNSPolicy']],
  ['dnsConfig', ['podSpecDNSConfig']],
  ['hostIPC', ['podSpecHostIPC']],
  ['hostPID', ['podSpecHostPID']],
  ['hostNetwork', ['podSpecHostNetwork']],
]);

/** Checks the Pod part of a Revision's spec. Source: knative/serving pkg/apis/serving/k8s_validation.go. */
export function validatePodSpec(features: FeaturesConfig, spec: RevisionSpec): FieldErrors {
  const { containers, initContainers = [], volumes } = spec;
  const { byName, errors: volumeErrors } = validateVolumes(features, volumes, [...initContainers, ...containers]);
  const { portName, errors: portErrors } = validateServingPort(containers);
  const around: ContainerSurroundings = { features, volumes: byName, portName };
  return also(
    disallowedBy(podSpecMask, spec, (field) => {
      if (field === 'automountServiceAccountToken') return spec.automountServiceAccountToken === false;
      return gatedFields.get(field)?.some((feature) => features[feature] !== 'Disabled') ?? false;
    }),
    viaField(validatePodSecurityContext(features, spec.securityContext), 'securityContext'),
    viaField(volumeErrors, 'volumes'),
    validateInitContainers(around, initContainers, containers),
    viaField(portErrors, 'containers[*]'),
    validateContainers(around, containers),
    validateServiceAccountName(spec.serviceAccountName ?? ''),
  );
}

function validateServiceAccountName(name: string): FieldErrors {
  if (name === '') return noErrors;
  return also(...dns1123SubdomainProblems(name).map((problem) => invalidValue(name, 'serviceAccountName', problem)));
}

/** Warnings about the security contexts of all containers. */
export function warnPodSpec(features: FeaturesConfig, spec: RevisionSpec): FieldErrors {
  const warningsOf = (field: string, containers: readonly Container[]): readonly FieldErrors[] =>
    containers.map(({ securityContext }, index) =>
      warnInsecureDefaults(features, spec.securityContext, securityContext, `${field}[${index}]`),
    );
  return also(...warningsOf('containers', spec.containers), ...warningsOf('initContainers', spec.initContainers ?? []));
}

function validateServingPort(containers: readonly Container[]): { readonly portName: string; readonly errors: FieldErrors } {
  let count = 0;
  let portName = '';
  for (const { ports } of containers) {
    if (ports === undefined || ports.length === 0) continue;
    count += ports.length;
    portName = ports[0]?.name ?? '';
  }
  if (portName === '') portName = 'http';
  if (count === 0 && containers.length > 1) return { portName, errors: missingField('ports') };
  if (count <= 1) return { portName, errors: noErrors };
  return {
    portName,
    errors: [
      {
        message: 'more than one container port is set',
        paths: ['ports'],
        details: 'Only a single port is allowed across all containers',
      },
    ],
  };
}

function validateInitContainers(
  around: ContainerSurroundings,
  initContainers: readonly Container[],
  others: readonly Container[],
): FieldErrors {
  if (initContainers.length === 0) return noErrors;
  if (around.features.podSpecInitContainers !== 'Enabled') {
    return genericError(`pod spec support for init-containers is off, but found ${initContainers.length} init containers`);
  }
  const names = new Set(others.map(({ name }) => name));
  let errors = noErrors;
  initContainers.forEach((container, index) => {
    if (names.has(container.name)) errors = withDuplicate(errors, container.name, index);
    errors = also(errors, viaFieldIndex(validateInitContainer(around, container), 'containers', index));
  });
  return errors;
}

function validateContainers(around: ContainerSurroundings, containers: readonly Container[]): FieldErrors {
  const [first] = containers;
  if (first === undefined) return missingField('containers');
  if (containers.length === 1) return viaFieldIndex(validateUserContainer(around, first), 'containers', 0);
  if (around.features.multiContainer !== 'Enabled') {
    return genericError(`multi-container is off, but found ${containers.length} containers`);
  }
  const names = new Set<string>();
  let errors = noErrors;
  containers.forEach((container, index) => {
    if (names.has(container.name)) errors = withDuplicate(errors, container.name, index);
    names.add(container.name);
    const serving = container.ports !== undefined && container.ports.length > 0;
    const found = serving ? validateUserContainer(around, container) : validateSidecarContainer(around, container);
    errors = also(errors, viaFieldIndex(found, 'containers', index));
  });
  return errors;
}

/** Upstream prefixes everything found so far with the container whose name is taken. */
function withDuplicate(errors: FieldErrors, name: string, index: number): FieldErrors {
  const duplicate = genericError(`duplicate container name ${JSON.stringify(name)}`, 'name');
  return viaFieldIndex(also(errors, duplicate), 'containers', index);
}
