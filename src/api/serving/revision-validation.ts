import { validateAutoscalingAnnotations } from '../autoscaling/annotations.ts';
import { parseGoFloat, formatGoFloat } from '../autoscaling/go-values.ts';
import type { TemplateMeta } from '../core/metadata.ts';
import {
  also,
  disallowedFields,
  errorText,
  genericError,
  invalidValue,
  mergeErrors,
  noErrors,
  outOfBounds,
  viaField,
  viaKey,
  type FieldError,
  type FieldErrors,
} from '../field-errors.ts';
import { goEqual } from '../go-equal.ts';
import type { AdmissionContext } from '../kind.ts';
import { dns1035LabelProblems, dns1035PrefixProblems } from '../names.ts';
import { validateNetworkingAnnotations } from '../networking/annotation-validation.ts';
import { parseQuantity } from '../../quantity.ts';
import type { ObjectMeta, Resource } from '../resource.ts';
import type { DefaultsConfig } from './config-defaults.ts';
import { servingGroup, validateOwnerLabel, validateScaledMetadata, validateSecondsAnnotation } from './metadata-validation.ts';
import { validatePodSpec, warnPodSpec } from './pod-spec-validation.ts';
import type { Revision, RevisionSpec, RevisionTemplateSpec } from './revision.ts';
import { servingConfigOf } from './serving-config.ts';
import { isUpdate } from './user-info.ts';

/** Checks a Revision. After it was made its spec cannot change. */
export function validateRevision(revision: Revision, context: AdmissionContext): FieldErrors {
  if (isUpdate(context)) {
    const same = goEqual(context.old?.spec, revision.spec, false, 'spec');
    if (!same) return changed('Immutable fields changed (-old +new)', 'spec', context.old?.spec, revision.spec);
  }
  const { autoscaler } = servingConfigOf(context);
  const { metadata } = revision;
  return also(
    viaField(validateScaledMetadata(autoscaler, metadata), 'metadata'),
    viaField(validateOwnerLabel(metadata, `${servingGroup}/configuration`, 'Configuration'), 'metadata.labels'),
    isUpdate(context) ? noErrors : viaField(validateRevisionSpec(revision.spec, context), 'spec'),
  );
}

/** Warnings of a Revision; an existing one gives none. */
export function warnRevision(revision: Revision, context: AdmissionContext): readonly string[] {
  if (isUpdate(context)) return [];
  return warningTexts(viaField(warnPodSpec(servingConfigOf(context).features, revision.spec), 'spec'));
}

/** Each warning as one text: equal ones merged, in order of message. */
export function warningTexts(warnings: FieldErrors): readonly string[] {
  const [first] = warnings;
  if (first === undefined) return [];
  return warnings.length === 1 ? [errorText(warnings)] : mergeErrors(warnings).map((warning) => errorText([warning]));
}

/** Checks a Revision's spec; paths relative to it. */
export function validateRevisionSpec(spec: RevisionSpec, context: AdmissionContext): FieldErrors {
  const { features, defaults } = servingConfigOf(context);
  return also(
    validatePodSpec(features, spec),
    validateTimeout(defaults, spec.timeoutSeconds ?? 0),
    viaField(validateContainerConcurrency(defaults, spec.containerConcurrency), 'containerConcurrency'),
  );
}

function validateTimeout(defaults: DefaultsConfig, seconds: number): FieldErrors {
  const max = defaults.maxRevisionTimeoutSeconds;
  return seconds < 0 || (seconds > max && seconds !== 0) ? outOfBounds(seconds, 0, max, 'timeoutSeconds') : noErrors;
}

/** Checks how many requests an instance may get at once; the path is the field itself. */
export function validateContainerConcurrency(defaults: DefaultsConfig, value: number | undefined): FieldErrors {
  if (value === undefined) return noErrors;
  const min = defaults.allowContainerConcurrencyZero ? 0 : 1;
  const max = defaults.containerConcurrencyMaxLimit;
  return value < min || value > max ? outOfBounds(value, min, max, '') : noErrors;
}

/** Checks a template of Revisions; paths relative to it. `parent` is the metadata of the object that has the template. */
export function validateTemplate(template: RevisionTemplateSpec, parent: ObjectMeta, context: AdmissionContext): FieldErrors {
  const { annotations } = template.metadata;
  return also(
    viaField(validateRevisionSpec(template.spec, context), 'spec'),
    validateRevisionName(template.metadata, parent),
    annotations === undefined ? noErrors : validateTemplateAnnotations(annotations, context),
  );
}

function validateTemplateAnnotations(annotations: Readonly<Record<string, string>>, context: AdmissionContext): FieldErrors {
  const { autoscaler } = servingConfigOf(context);
  return viaField(
    also(
      validateAutoscalingAnnotations(autoscaler, annotations),
      validateNetworkingAnnotations(annotations),
      validateSidecarAnnotations(annotations),
      validateSecondsAnnotation(annotations, [`${servingGroup}/progress-deadline`], 'progress-deadline'),
    ),
    'metadata.annotations',
  );
}

/** Warnings of a template; paths relative to it. */
export function warnTemplate(template: RevisionTemplateSpec, context: AdmissionContext): FieldErrors {
  const key = percentageKey(template.metadata.annotations);
  const deprecated = viaKey(
    genericError(
      'Queue proxy resource percentage annotation is deprecated. Please use the available annotations to explicitly set resource values per service',
    ),
    key ?? '',
  );
  return also(
    viaField(warnPodSpec(servingConfigOf(context).features, template.spec), 'spec'),
    key === undefined ? noErrors : deprecated.map((error): FieldError => ({ ...error, level: 'warning' })),
  );
}

const sidecar = (name: string): string => `queue.sidecar.${servingGroup}/${name}`;
const percentageKeys = [sidecar('resource-percentage'), sidecar('resourcePercentage')];
const amountKeys = [
  sidecar('cpu-resource-request'),
  sidecar('cpu-resource-limit'),
  sidecar('memory-resource-request'),
  sidecar('memory-resource-limit'),
  sidecar('ephemeral-storage-resource-request'),
  sidecar('ephemeral-storage-resource-limit'),
];

function percentageKey(annotations: Readonly<Record<string, string>> | undefined): string | undefined {
  return percentageKeys.find((key) => annotations !== undefined && Object.hasOwn(annotations, key));
}

function validateSidecarAnnotations(annotations: Readonly<Record<string, string>>): FieldErrors {
  let errors = noErrors;
  const key = percentageKey(annotations);
  if (key !== undefined) {
    const text = annotations[key] ?? '';
    const parsed = parseGoFloat(text);
    if ('error' in parsed) errors = viaKey(invalidValue(text, ''), key);
    else if (parsed.value < 0.1 || parsed.value > 100) {
      errors = viaKey(outOfBounds(formatGoFloat(parsed.value), 0.1, 100, ''), key);
    }
  }
  for (const amountKey of amountKeys) {
    const text = annotations[amountKey];
    if (text !== undefined && parseQuantity(text) === undefined) errors = also(errors, viaKey(invalidValue(text, ''), amountKey));
  }
  return errors;
}

/** A name that users bring themselves starts with the name of the object that has the template. */
function validateRevisionName(metadata: TemplateMeta, parent: ObjectMeta): FieldErrors {
  const { name = '', generateName = '' } = metadata;
  if (generateName !== '') {
    const problems = dns1035PrefixProblems(generateName);
    if (problems.length > 0) {
      return invalidValue(`not a DNS 1035 label prefix: [${problems.join(' ')}]`, 'metadata.generateName');
    }
  }
  if (name === '') return noErrors;
  const problems = dns1035LabelProblems(name);
  if (problems.length > 0) return invalidValue(`not a DNS 1035 label: [${problems.join(' ')}]`, 'metadata.name');
  if (parent.name === '' && (parent.generateName ?? '') !== '') return disallowedFields('metadata.name');
  const prefix = `${parent.name}-`;
  if (name.startsWith(prefix)) return noErrors;
  return invalidValue(`${JSON.stringify(name)} must have prefix ${JSON.stringify(prefix)}`, 'metadata.name');
}

/** A template with a name of its own may only change together with the name; paths relative to the template. */
export function validateNameChange(
  template: RevisionTemplateSpec,
  old: (Resource & { readonly spec?: unknown }) | undefined,
): FieldErrors {
  const { name = '' } = template.metadata;
  const oldTemplate = templateOf(old?.spec);
  if (name === '' || name !== (oldTemplate?.metadata?.name ?? '')) return noErrors;
  if (goEqual(oldTemplate, template, false, 'template')) return noErrors;
  return changed('Saw the following changes without a name change (-old +new)', 'metadata.name', oldTemplate, template);
}

/** The template in the spec of a stored object, which is decoded like the new one. */
export function templateOf(spec: unknown): Partial<RevisionTemplateSpec> | undefined {
  if (typeof spec !== 'object' || spec === null || !('template' in spec)) return undefined;
  const { template } = spec;
  return typeof template === 'object' && template !== null ? template : undefined;
}

function changed(message: string, path: string, before: unknown, after: unknown): FieldErrors {
  return [{ message, paths: [path], details: changeLines(before, after, '').join('\n') }];
}

/** Which fields differ, with the value before and after. */
function changeLines(before: unknown, after: unknown, path: string): string[] {
  const key = path.slice(path.lastIndexOf('.') + 1);
  if (goEqual(before, after, false, key)) return [];
  if (isObject(before) && isObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((field) =>
      changeLines(before[field], after[field], path === '' ? field : `${path}.${field}`),
    );
  }
  const sides = [
    before === undefined ? '' : `-${JSON.stringify(before)}`,
    after === undefined ? '' : `+${JSON.stringify(after)}`,
  ];
  return [`${path}: ${sides.filter((side) => side !== '').join(' ')}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
