import {
  also,
  genericError,
  invalidValue,
  missingField,
  missingOneOf,
  multipleOneOf,
  noErrors,
  viaField,
  viaFieldIndex,
  viaIndex,
  type FieldErrors,
} from '../field-errors.ts';
import type { Volume, VolumeProjection } from '../core/volumes.ts';
import type { Container, VolumeMount } from '../core/container.ts';
import { dns1123LabelProblems } from '../names.ts';
import { formatQuantity, parseQuantity } from '../../quantity.ts';
import type { FeaturesConfig, Flag } from './config-features.ts';
import { disallowedBy, fieldMask } from '../disallowed-fields.ts';

/** Volumes by name; the last one of a name counts. */
export type VolumesByName = ReadonlyMap<string, Volume>;

const noVolumes: VolumesByName = new Map();

/** Checks a Revision's volumes against what its containers mount. */
export function validateVolumes(
  features: FeaturesConfig,
  volumes: readonly Volume[] | undefined,
  containers: readonly Container[],
): { readonly byName: VolumesByName; readonly errors: FieldErrors } {
  if (volumes === undefined || volumes.length === 0) return { byName: noVolumes, errors: noErrors };
  const mounted = new Set(containers.flatMap((container) => (container.volumeMounts ?? []).map(({ name }) => name)));
  const byName = new Map<string, Volume>();
  let errors = noErrors;
  volumes.forEach((volume, index) => {
    const { name } = volume;
    const found = also(
      byName.has(name) ? genericError(`duplicate volume name ${JSON.stringify(name)}`, 'name') : noErrors,
      mounted.has(name) ? noErrors : genericError(`volume with name ${JSON.stringify(name)} not mounted`, 'name'),
      validateVolume(features, volume),
    );
    errors = also(errors, viaIndex(found, index));
    byName.set(name, volume);
  });
  return { byName, errors };
}

type VolumeSource = Exclude<keyof Volume, 'name'>;

/** Sources behind a feature flag, in the order in which upstream looks at them. */
const gatedSources = [
  ['emptyDir', 'podSpecVolumesEmptyDir'],
  ['persistentVolumeClaim', 'podSpecPersistentVolumeClaim'],
  ['hostPath', 'podSpecVolumesHostPath'],
  ['csi', 'podSpecVolumesCSI'],
  ['ephemeral', 'podSpecVolumesEphemeral'],
  ['image', 'podSpecVolumesImage'],
] as const satisfies readonly (readonly [VolumeSource, keyof FeaturesConfig])[];

const sourceNames: Readonly<Record<string, string>> = {
  image: 'Image',
  emptyDir: 'EmptyDir',
  hostPath: 'HostPath',
  csi: 'CSI',
  ephemeral: 'Ephemeral',
};

const volumeMask = fieldMask(['name', 'secret', 'configMap', 'projected']);

function validateVolume(features: FeaturesConfig, volume: Volume): FieldErrors {
  return also(
    validateVolumeName(features, volume),
    disallowedBy(volumeMask, volume, (field) =>
      gatedSources.some(([source, feature]) => source === field && features[feature] !== 'Disabled'),
    ),
    ...validateSources(volume),
    validateSourceCount(features, volume),
  );
}

/** A wrong name replaces what was found before it, as upstream assigns where it means to add. */
function validateVolumeName(features: FeaturesConfig, volume: Volume): FieldErrors {
  if (volume.name === '') return missingField('name');
  if (dns1123LabelProblems(volume.name).length > 0) return invalidValue(volume.name, 'name');
  let errors = validateClaim(features, volume);
  for (const [source, feature] of gatedSources) {
    const label = sourceNames[source];
    if (label === undefined || volume[source] === undefined || features[feature] === 'Enabled') continue;
    errors = also(errors, genericError(`${label} volume support is disabled, but found ${label} volume ${volume.name}`));
  }
  return errors;
}

function validateClaim(features: FeaturesConfig, volume: Volume): FieldErrors {
  const claim = volume.persistentVolumeClaim;
  if (claim === undefined) return noErrors;
  const off = (flag: Flag): boolean => flag !== 'Enabled';
  return also(
    off(features.podSpecPersistentVolumeClaim)
      ? genericError(`Persistent volume claim support is disabled, but found persistent volume claim ${claim.claimName}`)
      : noErrors,
    claim.readOnly !== true && off(features.podSpecPersistentVolumeWrite)
      ? genericError(
          `Persistent volume write support is disabled, but found persistent volume claim ${claim.claimName} that is not read-only`,
        )
      : noErrors,
  );
}

function validateSources(volume: Volume): readonly FieldErrors[] {
  return [
    ...(volume.secret?.items ?? []).map((item, index) => viaFieldIndex(validateKeyToPath(item), 'items', index)),
    ...(volume.configMap?.items ?? []).map((item, index) => viaFieldIndex(validateKeyToPath(item), 'items', index)),
    ...(volume.projected?.sources ?? []).map((source, index) => viaFieldIndex(validateProjection(source), 'projected', index)),
    volume.emptyDir === undefined ? noErrors : viaField(validateEmptyDir(volume.emptyDir), 'emptyDir'),
    volume.image === undefined ? noErrors : viaField(validateImageVolume(volume.image), 'image'),
  ];
}

function validateSourceCount(features: FeaturesConfig, volume: Volume): FieldErrors {
  const order = ['secret', 'configMap', 'projected', ...gatedSources.map(([source]) => source)] as const;
  const given = order.filter((source) => volume[source] !== undefined);
  if (given.length > 1) return multipleOneOf(...given);
  if (given.length === 1) return noErrors;
  const possible = gatedSources.filter(([, feature]) => features[feature] === 'Enabled').map(([source]) => source);
  return missingOneOf('secret', 'configMap', 'projected', ...possible);
}

function validateKeyToPath(item: { readonly key: string; readonly path: string }): FieldErrors {
  return also(item.key === '' ? missingField('key') : noErrors, item.path === '' ? missingField('path') : noErrors);
}

function validateEmptyDir(dir: NonNullable<Volume['emptyDir']>): FieldErrors {
  const { medium = '', sizeLimit } = dir;
  const limit = sizeLimit === undefined ? undefined : parseQuantity(sizeLimit);
  return also(
    medium !== '' && medium !== 'Memory' ? invalidValue(medium, 'medium') : noErrors,
    limit !== undefined && limit.nanos < 0n ? invalidValue(formatQuantity(limit), 'sizeLimit') : noErrors,
  );
}

function validateImageVolume(image: NonNullable<Volume['image']>): FieldErrors {
  const policy: string = image.pullPolicy ?? '';
  return also(
    (image.reference ?? '') === '' ? missingField('reference') : noErrors,
    ['', 'Always', 'IfNotPresent', 'Never'].includes(policy) ? noErrors : invalidValue(policy, 'pullPolicy'),
  );
}

const projectionMask = fieldMask(['secret', 'configMap', 'serviceAccountToken', 'downwardAPI']);

function validateProjection(projection: VolumeProjection): FieldErrors {
  const { secret, configMap, serviceAccountToken, downwardAPI } = projection;
  const kinds = (['secret', 'configMap', 'serviceAccountToken', 'downwardAPI'] as const).filter(
    (kind) => projection[kind] !== undefined,
  );
  return also(
    disallowedBy(projectionMask, projection),
    secret === undefined ? noErrors : viaField(validateKeyProjection(secret), 'secret'),
    configMap === undefined ? noErrors : viaField(validateKeyProjection(configMap), 'configMap'),
    serviceAccountToken?.path === '' ? viaField(missingField('path'), 'serviceAccountToken') : noErrors,
    ...(downwardAPI?.items ?? []).map((file, index) =>
      viaField(viaFieldIndex(validateDownwardFile(file), 'items', index), 'downwardAPI'),
    ),
    kinds.length === 0
      ? missingOneOf('secret', 'configMap', 'serviceAccountToken', 'downwardAPI')
      : kinds.length > 1
        ? multipleOneOf(...kinds)
        : noErrors,
  );
}

function validateKeyProjection(source: NonNullable<VolumeProjection['secret']>): FieldErrors {
  return also(
    (source.name ?? '') === '' ? missingField('name') : noErrors,
    ...(source.items ?? []).map((item, index) => viaFieldIndex(validateKeyToPath(item), 'items', index)),
  );
}

type DownwardFile = NonNullable<NonNullable<VolumeProjection['downwardAPI']>['items']>[number];

function validateDownwardFile(file: DownwardFile): FieldErrors {
  const field = file.fieldRef !== undefined;
  const resource = file.resourceFieldRef !== undefined;
  return also(
    !field && !resource ? missingOneOf('fieldRef', 'resourceFieldRef') : noErrors,
    field && resource ? genericError('Within a single item, cannot set both', 'resourceFieldRef', 'fieldRef') : noErrors,
    file.path === '' ? missingField('path') : noErrors,
  );
}

const mountMask = fieldMask(['name', 'readOnly', 'mountPath', 'subPath'], ['subPathExpr']);
const reservedPaths = new Set(['/', '/dev', '/dev/log']);

/** Checks the mounts of one container against the volumes. */
export function validateVolumeMounts(
  features: FeaturesConfig,
  mounts: readonly VolumeMount[] | undefined,
  volumes: VolumesByName,
): FieldErrors {
  if (mounts === undefined || mounts.length === 0) return noErrors;
  const seenPaths = new Set<string>();
  let errors = noErrors;
  mounts.forEach((mount, index) => {
    errors = also(errors, viaIndex(validateMount(features, mount, volumes.get(mount.name), seenPaths), index));
    seenPaths.add(cleanPath(mount.mountPath));
  });
  return errors;
}

function validateMount(
  features: FeaturesConfig,
  mount: VolumeMount,
  volume: Volume | undefined,
  seenPaths: ReadonlySet<string>,
): FieldErrors {
  const writable =
    volume?.emptyDir !== undefined || volume?.persistentVolumeClaim !== undefined || volume?.ephemeral !== undefined;
  const readOnly = mount.readOnly === true;
  return also(
    disallowedBy(
      mountMask,
      mount,
      (field) => field === 'mountPropagation' && features.podSpecVolumesMountPropagation !== 'Disabled',
    ),
    volume === undefined ? genericError('volumeMount has no matching volume', 'name') : noErrors,
    validateMountPath(mount.mountPath, seenPaths),
    !writable && !readOnly ? genericError('volume mount should be readOnly for this type of volume', 'readOnly') : noErrors,
    validatePropagation(features, mount),
    volume?.persistentVolumeClaim?.readOnly === true && !readOnly
      ? genericError('volume is readOnly but volume mount is not', 'readOnly')
      : noErrors,
  );
}

function validateMountPath(path: string, seenPaths: ReadonlySet<string>): FieldErrors {
  if (path === '') return missingField('mountPath');
  const clean = cleanPath(path);
  if (reservedPaths.has(clean)) return genericError(`mountPath ${JSON.stringify(clean)} is a reserved path`, 'mountPath');
  if (!path.startsWith('/')) return invalidValue(path, 'mountPath');
  return seenPaths.has(clean) ? invalidValue(`${JSON.stringify(path)} must be unique`, 'mountPath') : noErrors;
}

function validatePropagation(features: FeaturesConfig, mount: VolumeMount): FieldErrors {
  const { mountPropagation } = mount;
  if (mountPropagation === undefined) return noErrors;
  return also(
    features.podSpecVolumesMountPropagation === 'Enabled'
      ? noErrors
      : genericError(`Volume Mount Propagation support is disabled, but found volume mount ${mount.name} with mount propagation`),
    mountPropagation === 'None' || mountPropagation === 'HostToContainer'
      ? noErrors
      : genericError('mount propagation should be set to None or HostToContainer', 'mountPropagation'),
  );
}

/** Go's `path.Clean`: the shortest equal path. */
function cleanPath(path: string): string {
  const rooted = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!rooted) parts.push(part);
  }
  const joined = parts.join('/');
  return rooted ? `/${joined}` : joined === '' ? '.' : joined;
}
