import { also, noErrors, outOfBounds, viaField, type FieldError, type FieldErrors } from '../field-errors.ts';
import type { PodSecurityContext, SecurityContext } from '../core/container.ts';
import type { FeaturesConfig } from './config-features.ts';
import { disallowedBy, fieldMask } from '../disallowed-fields.ts';

const idMax = 2_147_483_647;

const securityContextMask = fieldMask([
  'capabilities',
  'readOnlyRootFilesystem',
  'runAsUser',
  'runAsGroup',
  'runAsNonRoot',
  'allowPrivilegeEscalation',
  'seccompProfile',
]);

/** Checks the security context of a container. */
export function validateSecurityContext(features: FeaturesConfig, context: SecurityContext | undefined): FieldErrors {
  if (context === undefined) return noErrors;
  return also(
    disallowedBy(securityContextMask, context, (field) => field === 'privileged' && context.privileged === false),
    viaField(validateCapabilities(features, context.capabilities), 'capabilities'),
    validateId(context.runAsUser, 'runAsUser'),
    validateId(context.runAsGroup, 'runAsGroup'),
  );
}

const capabilitiesMask = fieldMask(['drop']);

function validateCapabilities(features: FeaturesConfig, capabilities: SecurityContext['capabilities']): FieldErrors {
  if (capabilities === undefined) return noErrors;
  const { add = [] } = capabilities;
  const mayAdd =
    features.containerSpecAddCapabilities === 'Enabled' ||
    (features.securePodDefaults !== 'Disabled' && add.length === 1 && add[0] === 'NET_BIND_SERVICE');
  return disallowedBy(capabilitiesMask, capabilities, (field) => field === 'add' && mayAdd);
}

function validateId(id: number | undefined, path: string): FieldErrors {
  return id !== undefined && (id < 0 || id > idMax) ? outOfBounds(id, 0, idMax, path) : noErrors;
}

const nothing = fieldMask([]);
const podSecurityContextMask = fieldMask([
  'runAsUser',
  'runAsGroup',
  'runAsNonRoot',
  'fsGroup',
  'supplementalGroups',
  'seccompProfile',
]);

/** Checks the security context of the Pod. */
export function validatePodSecurityContext(features: FeaturesConfig, context: PodSecurityContext | undefined): FieldErrors {
  if (context === undefined) return noErrors;
  const profile = context.seccompProfile;
  const plainProfile =
    features.securePodDefaults !== 'Disabled' &&
    (profile?.type === 'RuntimeDefault' || profile?.type === 'Unconfined') &&
    profile.localhostProfile === undefined;
  return also(
    features.podSpecSecurityContext === 'Disabled'
      ? disallowedBy(nothing, context, (field) => field === 'seccompProfile' && plainProfile)
      : disallowedBy(podSecurityContextMask, context),
    validateId(context.runAsUser, 'runAsUser'),
    validateId(context.runAsGroup, 'runAsGroup'),
    validateId(context.fsGroup, 'fsGroup'),
    ...(context.supplementalGroups ?? []).map((id, index) => validateId(id, `supplementalGroups[${index}]`)),
  );
}

const insecure = 'Kubernetes default value is insecure, Knative may default this to secure in a future release';

/**
 * Warnings for what Kubernetes leaves insecure when a container does not say: the restricted profile forbids these values. Silent
 * once `secure-pod-defaults` fills them in. `path` is the container's.
 */
export function warnInsecureDefaults(
  features: FeaturesConfig,
  pod: PodSecurityContext | undefined,
  container: SecurityContext | undefined,
  path: string,
): FieldErrors {
  if (features.securePodDefaults !== 'Disabled') return noErrors;
  const base = `${path}.securityContext`;
  const paths: string[] = [];
  if (pod?.runAsNonRoot === undefined && container?.runAsNonRoot === undefined) paths.push(`${base}.runAsNonRoot`);
  if (container?.allowPrivilegeEscalation === undefined) paths.push(`${base}.allowPrivilegeEscalation`);
  if (container?.seccompProfile === undefined && pod?.seccompProfile === undefined) paths.push(`${base}.seccompProfile`);
  else if ((pod?.seccompProfile?.type ?? '') === '' && (container?.seccompProfile?.type ?? '') === '') {
    paths.push(`${base}.seccompProfile.type`);
  }
  if (container?.capabilities === undefined) paths.push(`${base}.capabilities`);
  else if (container.capabilities.drop === undefined) paths.push(`${base}.capabilities.drop`);
  const warnings: FieldError[] = paths.length === 0 ? [] : [{ message: insecure, paths, details: '', level: 'warning' }];
  if (container?.capabilities?.drop?.[0] === 'all') {
    const details = "Must be spelled as 'ALL'";
    warnings.push({ message: 'invalid value: all', paths: [`${base}.capabilities.drop`], details, level: 'warning' });
  }
  return warnings;
}
