import {
  also,
  genericError,
  invalidValue,
  missingField,
  missingOneOf,
  multipleOneOf,
  noErrors,
  outOfBounds,
  viaField,
  viaFieldIndex,
  viaIndex,
  type FieldErrors,
} from '../field-errors.ts';
import type { Container, ContainerPort, EnvFromSource, EnvVar } from '../core/container.ts';
import { goEqual } from '../go-equal.ts';
import { parseImageReference } from '../image-reference.ts';
import type { FeaturesConfig } from './config-features.ts';
import { disallowedBy, fieldMask } from '../disallowed-fields.ts';
import { disallowProbe, validateProbe, validateReadinessProbe } from './probe-validation.ts';
import { validateSecurityContext } from './security-context-validation.ts';
import { validateVolumeMounts, type VolumesByName } from './volume-validation.ts';

/** What a container is to its Revision. */
type Role = 'user' | 'sidecar' | 'init';

/** What the checks of all containers of a Revision share. */
export interface ContainerSurroundings {
  readonly features: FeaturesConfig;
  readonly volumes: VolumesByName;
  /** Name of the serving port, `http` when it has none. */
  readonly portName: string;
}

const containerMask = fieldMask(
  [
    'name',
    'args',
    'command',
    'env',
    'workingDir',
    'envFrom',
    'image',
    'imagePullPolicy',
    'livenessProbe',
    'ports',
    'readinessProbe',
    'resources',
    'securityContext',
    'startupProbe',
    'terminationMessagePath',
    'terminationMessagePolicy',
    'volumeMounts',
  ],
  ['stdin', 'stdinOnce', 'tty'],
);

/** Checks the container that serves requests. */
export function validateUserContainer(around: ContainerSurroundings, container: Container): FieldErrors {
  return also(
    viaField(validateProbe(container.livenessProbe, around.portName), 'livenessProbe'),
    viaField(validateReadinessProbe(container.readinessProbe, around.portName), 'readinessProbe'),
    viaField(validateProbe(container.startupProbe, around.portName), 'startupProbe'),
    validateContainer(around, container, 'user'),
  );
}

/** Checks a container without a port beside the serving one. */
export function validateSidecarContainer(around: ContainerSurroundings, container: Container): FieldErrors {
  const { livenessProbe, readinessProbe, startupProbe } = container;
  const mayProbe = around.features.multiContainerProbing === 'Enabled';
  return also(
    viaField(mayProbe ? validateProbe(livenessProbe, undefined) : disallowProbe(livenessProbe), 'livenessProbe'),
    viaField(mayProbe ? validateReadinessProbe(readinessProbe, undefined) : disallowProbe(readinessProbe), 'readinessProbe'),
    viaField(mayProbe ? validateProbe(startupProbe, undefined) : disallowProbe(startupProbe), 'startupProbe'),
    validateContainer(around, container, 'sidecar'),
  );
}

/** Checks a container that runs before the others. */
export function validateInitContainer(around: ContainerSurroundings, container: Container): FieldErrors {
  const refused = (['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const).filter(
    (field) => container[field] !== undefined,
  );
  return also(
    ...refused.map((field) => genericError('field not allowed in an init container', field)),
    validateContainer(around, container, 'init'),
  );
}

function validateContainer(around: ContainerSurroundings, container: Container, role: Role): FieldErrors {
  if (container.image === undefined && goEqual(container, {}, true)) return missingField('');
  const policy: string = container.terminationMessagePolicy ?? '';
  return also(
    disallowedBy(containerMask, container),
    container.name === 'queue-proxy' ? genericError('"queue-proxy" is a reserved container name', 'name') : noErrors,
    validateEnv(around.features, container.env, role),
    viaField(validateEnvFrom(container.envFrom), 'envFrom'),
    validateImage(container.image),
    validatePorts(container.ports, role),
    container.resources?.claims === undefined
      ? noErrors
      : viaField(disallowedBy(resourcesMask, container.resources), 'resources'),
    viaField(validateSecurityContext(around.features, container.securityContext), 'securityContext'),
    policy === '' || policy === 'File' || policy === 'FallbackToLogsOnError'
      ? noErrors
      : invalidValue(policy, 'terminationMessagePolicy'),
    viaField(validateVolumeMounts(around.features, container.volumeMounts, around.volumes), 'volumeMounts'),
  );
}

const resourcesMask = fieldMask(['limits', 'requests']);

function validateImage(image = ''): FieldErrors {
  if (image === '') return missingField('image');
  if (parseImageReference(image) !== undefined) return noErrors;
  const detail = `image: ${JSON.stringify(image)}, error: could not parse reference: ${image}`;
  return [{ message: 'Failed to parse image reference', paths: ['image'], details: detail }];
}

const reservedEnv = new Set(['PORT', 'K_SERVICE', 'K_CONFIGURATION', 'K_REVISION']);

function validateEnv(features: FeaturesConfig, env: readonly EnvVar[] | undefined, role: Role): FieldErrors {
  if (env === undefined || env.length === 0) return noErrors;
  let errors = noErrors;
  for (let index = 0; index < env.length; index++) {
    const variable = env[index];
    if (variable === undefined) continue;
    const found = validateEnvVar(features, variable, role);
    if (found.length > 0) errors = also(errors, viaFieldIndex(found, 'env', index));
  }
  return errors;
}

const envSourceMask = fieldMask(['configMapKeyRef', 'secretKeyRef']);

function validateEnvVar(features: FeaturesConfig, variable: EnvVar, role: Role): FieldErrors {
  const { name, valueFrom } = variable;
  let errors = noErrors;
  if (name === '') errors = missingField('name');
  else if (reservedEnv.has(name) && (role === 'user' || name !== 'PORT')) {
    errors = genericError(`${JSON.stringify(name)} is a reserved environment variable`, 'name');
  }
  if (valueFrom === undefined) return errors;
  const sources = disallowedBy(
    envSourceMask,
    valueFrom,
    (field) => (field === 'fieldRef' || field === 'resourceFieldRef') && features.podSpecFieldRef !== 'Disabled',
  );
  return also(errors, viaField(sources, 'valueFrom'));
}

function validateEnvFrom(sources: readonly EnvFromSource[] | undefined): FieldErrors {
  let errors = noErrors;
  sources?.forEach(({ configMapRef, secretRef }, index) => {
    // Upstream prefixes everything found so far, not just what belongs to this entry.
    if (secretRef !== undefined) errors = viaField(viaIndex(errors, index), 'secretRef');
    if (configMapRef !== undefined) errors = viaField(viaIndex(errors, index), 'configMapRef');
    if (configMapRef !== undefined && secretRef !== undefined) errors = also(errors, multipleOneOf('configMapRef', 'secretRef'));
    else if (configMapRef === undefined && secretRef === undefined) {
      errors = also(errors, missingOneOf('configMapRef', 'secretRef'));
    }
  });
  return errors;
}

const portMask = fieldMask(['containerPort', 'name', 'protocol'], ['hostIP', 'hostPort']);
/** Ports that queue-proxy and its probes, metrics and profiles use. */
const reservedPorts = new Set([8012, 8013, 8022, 9090, 9091, 8008]);

function validatePorts(ports: readonly ContainerPort[] | undefined, role: Role): FieldErrors {
  const first = ports?.[0];
  if (ports === undefined || first === undefined) return noErrors;
  if (role === 'init') return viaField(also(...ports.map(validatePort)), 'ports');
  const protocol: string = first.protocol ?? '';
  const name = first.name ?? '';
  return viaField(
    also(
      validatePort(first),
      protocol === '' || protocol === 'TCP' ? noErrors : invalidValue(protocol, 'protocol'),
      name === '' || name === 'h2c' || name === 'http1'
        ? noErrors
        : [
            {
              message: `Port name ${name} is not allowed`,
              paths: [''],
              details: "Name must be empty, or one of: 'h2c', 'http1'",
            },
          ],
    ),
    'ports',
  );
}

function validatePort(port: ContainerPort): FieldErrors {
  const number = port.containerPort ?? 0;
  return also(
    disallowedBy(portMask, port),
    reservedPorts.has(number)
      ? invalidValue(
          `${number} is a reserved port`,
          'containerPort',
          `${number} is a reserved port, please use a different value`,
        )
      : noErrors,
    number < 0 || number > 65_535 ? outOfBounds(number, 0, 65_535, 'containerPort') : noErrors,
  );
}
