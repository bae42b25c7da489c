import { also, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext } from '../kind.ts';
import type { Configuration } from './configuration.ts';
import {
  servingGroup,
  validateCreatorAndModifier,
  validateOwnerLabel,
  validateRolloutDuration,
  validateUnscaledMetadata,
} from './metadata-validation.ts';
import { defaultRevisionSpec } from './revision-defaults.ts';
import { templateOf, validateNameChange, validateTemplate, warningTexts, warnTemplate } from './revision-validation.ts';
import type { RevisionTemplateSpec } from './revision.ts';
import type { Service } from './service.ts';
import { defaultTraffic, validateTraffic } from './traffic-validation.ts';
import { isUpdate, withUserInfo } from './user-info.ts';

/**
 * Defaults of a template. An update that keeps a name which users brought themselves gets none, so that it does not look like a
 * change of the named Revision.
 */
function defaultTemplate(parent: Service | Configuration, context: AdmissionContext): RevisionTemplateSpec {
  const { template } = parent.spec;
  const { name = '' } = template.metadata;
  if (name !== '' && context.old !== undefined && templateOf(context.old.spec)?.metadata?.name === name) return template;
  return { ...template, spec: defaultRevisionSpec(template.spec, parent.metadata, context) };
}

export function defaultService(service: Service, context: AdmissionContext): Service {
  const spec = { ...service.spec, template: defaultTemplate(service, context) };
  const traffic = defaultTraffic(spec.traffic, true);
  if (traffic !== undefined) spec.traffic = traffic;
  return withUserInfo({ ...service, spec }, context);
}

export function validateService(service: Service, context: AdmissionContext): FieldErrors {
  const { metadata, spec } = service;
  let errors = noErrors;
  // Metadata and spec cannot change with the status, and may break rules that are newer than they are.
  if (context.operation !== 'updateStatus') {
    errors = also(
      viaField(validateUnscaledMetadata(metadata), 'metadata'),
      viaField(validateRolloutDuration(metadata.annotations), 'metadata.annotations'),
      viaField(validateTemplate(spec.template, metadata, context), 'spec.template'),
      viaField(validateTraffic(spec.traffic, true), 'spec.traffic'),
    );
  }
  if (!isUpdate(context)) return errors;
  return also(
    errors,
    validateChange(service, context),
    viaField(validateNameChange(spec.template, context.old), 'spec.template'),
  );
}

function validateChange(resource: Service | Configuration, context: AdmissionContext): FieldErrors {
  const { old } = context;
  return viaField(
    validateCreatorAndModifier(old?.spec, resource.spec, old?.metadata.annotations, resource.metadata.annotations),
    'metadata.annotations',
  );
}

export function defaultConfiguration(configuration: Configuration, context: AdmissionContext): Configuration {
  const spec = { ...configuration.spec, template: defaultTemplate(configuration, context) };
  const defaulted = { ...configuration, spec };
  return configuration.metadata.ownerReferences === undefined ? withUserInfo(defaulted, context) : defaulted;
}

export function validateConfiguration(configuration: Configuration, context: AdmissionContext): FieldErrors {
  const { metadata, spec } = configuration;
  let errors = noErrors;
  if (context.operation !== 'updateStatus') {
    errors = also(
      viaField(validateUnscaledMetadata(metadata), 'metadata'),
      viaField(validateOwnerLabel(metadata, `${servingGroup}/service`, 'Service'), 'metadata.labels'),
      viaField(validateTemplate(spec.template, metadata, context), 'spec.template'),
    );
  }
  if (!isUpdate(context)) return errors;
  return also(
    errors,
    metadata.ownerReferences === undefined ? validateChange(configuration, context) : noErrors,
    viaField(validateNameChange(spec.template, context.old), 'spec.template'),
  );
}

/** Warnings of a Service or Configuration: those of its template. */
export function warnTemplateOf(resource: Service | Configuration, context: AdmissionContext): readonly string[] {
  if (context.operation === 'updateStatus') return [];
  return warningTexts(viaField(warnTemplate(resource.spec.template, context), 'spec.template'));
}
