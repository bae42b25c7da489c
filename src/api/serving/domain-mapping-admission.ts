import type { KnativeReference } from '../core/metadata.ts';
import { also, disallowedFields, genericError, missingField, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext } from '../kind.ts';
import { domainNameProblems } from '../names.ts';
import type { DomainMapping } from './domain-mapping.ts';
import { validateCreatorAndModifier } from './metadata-validation.ts';
import { isUpdate, withUserInfo } from './user-info.ts';

const clusterDomain = 'cluster.local';

export function defaultDomainMapping(mapping: DomainMapping, context: AdmissionContext): DomainMapping {
  const { ref } = mapping.spec;
  const { namespace } = mapping.metadata;
  const needsNamespace = (ref.namespace ?? '') === '' && namespace !== undefined;
  const defaulted = needsNamespace ? { ...mapping, spec: { ...mapping.spec, ref: { ...ref, namespace } } } : mapping;
  return withUserInfo(defaulted, context);
}

export function validateDomainMapping(mapping: DomainMapping, context: AdmissionContext): FieldErrors {
  const { metadata, spec } = mapping;
  const { name } = metadata;
  const problems = domainNameProblems(name);
  const { old } = context;
  return also(
    (metadata.generateName ?? '') === '' ? noErrors : disallowedFields('metadata.generateName'),
    problems.length === 0
      ? noErrors
      : genericError(`invalid name ${JSON.stringify(name)}: ${problems.join(', ')}`, 'metadata.name'),
    name.endsWith(`.${clusterDomain}`)
      ? genericError(
          `invalid name ${JSON.stringify(name)}: must not be a subdomain of cluster local domain ${JSON.stringify(clusterDomain)}`,
          'metadata.name',
        )
      : noErrors,
    isUpdate(context)
      ? viaField(
          validateCreatorAndModifier(old?.spec, spec, old?.metadata.annotations, metadata.annotations),
          'metadata.annotations',
        )
      : noErrors,
    viaField(validateReference(spec.ref, metadata.namespace ?? ''), 'spec.ref'),
  );
}

function validateReference(ref: KnativeReference, parentNamespace: string): FieldErrors {
  const namespace = ref.namespace ?? '';
  const mismatched: FieldErrors = [
    {
      message: 'mismatched namespaces',
      paths: ['namespace'],
      details: `parent namespace: ${JSON.stringify(parentNamespace)} does not match ref: ${JSON.stringify(namespace)}`,
    },
  ];
  return also(
    ref.name === '' ? missingField('name') : noErrors,
    (ref.group ?? '') === '' ? noErrors : disallowedFields('group'),
    (ref.apiVersion ?? '') === '' ? missingField('apiVersion') : noErrors,
    ref.kind === '' ? missingField('kind') : noErrors,
    namespace !== '' && parentNamespace !== '' && namespace !== parentNamespace ? mismatched : noErrors,
  );
}
