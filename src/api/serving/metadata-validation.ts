import { validateAutoscalingAnnotations } from '../autoscaling/annotations.ts';
import { autoscalingGroup } from '../autoscaling/annotation-keys.ts';
import type { AutoscalerConfig } from '../autoscaling/config-autoscaler.ts';
import {
  also,
  genericError,
  invalidKeyName,
  invalidValue,
  missingField,
  noErrors,
  viaField,
  type FieldErrors,
} from '../field-errors.ts';
import { goEqual } from '../go-equal.ts';
import { parseGoDurationValue } from '../autoscaling/go-values.ts';
import { dns1035LabelProblems, dns1035PrefixProblems } from '../names.ts';
import type { ObjectMeta, OwnerReference } from '../resource.ts';

export const servingGroup = 'serving.knative.dev';
export const creatorAnnotation = `${servingGroup}/creator`;
export const modifierAnnotation = `${servingGroup}/lastModifier`;

type Annotations = Readonly<Record<string, string>> | undefined;

/** Checks an object's name and prefix; paths relative to `metadata`. */
export function validateObjectName(metadata: ObjectMeta): FieldErrors {
  const { name, generateName = '' } = metadata;
  if (generateName !== '') {
    const problems = dns1035PrefixProblems(generateName);
    if (problems.length > 0) return genericError(`not a DNS 1035 label prefix: [${problems.join(' ')}]`, 'generateName');
  }
  if (name !== '') {
    const problems = dns1035LabelProblems(name);
    if (problems.length > 0) return genericError(`not a DNS 1035 label: [${problems.join(' ')}]`, 'name');
  }
  return name === '' && generateName === '' ? genericError('name or generateName is required', 'name') : noErrors;
}

/** Checks the metadata of an object that the autoscaler reads; paths relative to `metadata`. */
export function validateScaledMetadata(autoscaler: AutoscalerConfig, metadata: ObjectMeta): FieldErrors {
  return also(
    validateObjectName(metadata),
    viaField(validateAutoscalingAnnotations(autoscaler, metadata.annotations), 'annotations'),
  );
}

/** Checks the metadata of an object that must leave scaling to its template; paths relative to `metadata`. */
export function validateUnscaledMetadata(metadata: ObjectMeta): FieldErrors {
  let errors = validateObjectName(metadata);
  const { annotations } = metadata;
  if (annotations === undefined) return errors;
  for (const key in annotations) {
    if (!key.startsWith(autoscalingGroup)) continue;
    errors = also(
      errors,
      invalidKeyName(
        key,
        'annotations',
        'autoscaling annotations must be put under "spec.template.metadata.annotations" to work',
      ),
    );
  }
  return errors;
}

/** Checks an annotation that holds a duration of whole seconds; the path is the key that is used. */
export function validateSecondsAnnotation(annotations: Annotations, keys: readonly string[], label: string): FieldErrors {
  const key = keys.find((candidate) => annotations !== undefined && Object.hasOwn(annotations, candidate));
  const text = key === undefined ? undefined : annotations?.[key];
  if (key === undefined || text === undefined || text === '') return noErrors;
  const parsed = parseGoDurationValue(text);
  if ('error' in parsed) return invalidValue(text, key);
  if (parsed.ms % 1_000 !== 0) return genericError(`${label}=${text} is not at second precision`, key);
  return parsed.ms < 0 ? genericError(`${label}=${text} must be positive`, key) : noErrors;
}

/** `rollout-duration` of a Service or Route; paths relative to the annotations. */
export function validateRolloutDuration(annotations: Annotations): FieldErrors {
  return validateSecondsAnnotation(
    annotations,
    [`${servingGroup}/rollout-duration`, `${servingGroup}/rolloutDuration`],
    'rollout-duration',
  );
}

/** Who created an object never changes, and who changed it last only together with its spec; paths relative to the annotations. */
export function validateCreatorAndModifier(
  oldSpec: unknown,
  newSpec: unknown,
  oldAnnotations: Annotations,
  newAnnotations: Annotations,
): FieldErrors {
  const sameModifier = (oldAnnotations?.[modifierAnnotation] ?? '') === (newAnnotations?.[modifierAnnotation] ?? '');
  return also(
    (oldAnnotations?.[creatorAnnotation] ?? '') === (newAnnotations?.[creatorAnnotation] ?? '')
      ? noErrors
      : genericError('annotation value is immutable', creatorAnnotation),
    !sameModifier && goEqual(oldSpec, newSpec, true, 'spec')
      ? invalidValue(newAnnotations?.[modifierAnnotation] ?? '', modifierAnnotation)
      : noErrors,
  );
}

/** A label that names an owner needs the owner reference to it; the path is the label. */
export function validateOwnerLabel(metadata: ObjectMeta, label: string, kind: string): FieldErrors {
  const name = metadata.labels?.[label];
  if (name === undefined) return noErrors;
  const owned = (reference: OwnerReference): boolean => reference.kind === kind && reference.name === name;
  return metadata.ownerReferences?.some(owned) === true ? noErrors : missingField(label);
}
