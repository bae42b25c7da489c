import { labelSelector, resourceFields } from '../core/metadata.ts';
import { isFeatureEnabled } from '../duck/features.ts';
import { sourceSpecFields, sourceStatusFields, validateSourceSpec } from '../duck/source-spec.ts';
import { validateDestination } from '../duck/validate-destination.ts';
import { subscriptionsApiFilter, type SubscriptionsApiFilter } from '../eventing/filter-spec.ts';
import { validateFilters } from '../eventing/validate-filters.ts';
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
import type { AdmissionContext, Kind } from '../kind.ts';
import { array, describe, object, oneOf, present, string, type TypeOf } from '../schema.ts';

const spec = object({
  ...sourceSpecFields,
  resources: describe(array(object({ apiVersion: string, kind: string, selector: labelSelector })), 'Kinds that are watched.'),
  owner: describe(object({ apiVersion: string, kind: string }), 'Only objects that an object of this kind controls.'),
  mode: describe(oneOf('Reference', 'Resource'), 'What events carry: a reference (default) or the whole object.'),
  serviceAccountName: string,
  namespaceSelector: describe(labelSelector, "Namespaces to watch; default: the source's own."),
  filters: array(subscriptionsApiFilter),
});
const status = object({ ...sourceStatusFields, namespaces: array(string) });
const schema = object({ ...resourceFields, spec: present(spec), status });

/** `sources.knative.dev/v1` ApiServerSource: an event for every change of watched objects. */
export type ApiServerSource = TypeOf<typeof schema>;

export const apiServerSources: Kind<ApiServerSource> = {
  group: 'sources.knative.dev',
  version: 'v1',
  kind: 'ApiServerSource',
  plural: 'apiserversources',
  singular: 'apiserversource',
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: (source) => ({
    ...source,
    spec: {
      ...source.spec,
      mode: source.spec.mode || 'Reference',
      serviceAccountName: source.spec.serviceAccountName || 'default',
    },
  }),
  validate: validateApiServerSource,
};

function validateApiServerSource(source: ApiServerSource, context: AdmissionContext): FieldErrors {
  const { mode, sink, resources = [], owner, filters } = source.spec;
  const scope = { context };
  const errors = also(
    mode === 'Reference' || mode === 'Resource' ? noErrors : invalidValue(mode ?? '', 'mode'),
    viaField(validateDestination(sink, scope), 'sink'),
    resources.length === 0 ? missingField('resources') : noErrors,
    ...resources.map((resource, index) => viaFieldIndex(validateKind(resource), 'resources', index)),
    owner === undefined ? noErrors : viaField(validateKind(owner), 'owner'),
    validateSourceSpec(source.spec, scope),
  );
  return viaField(also(errors, viaField(validateSourceFilters(filters, context), 'filters')), 'spec');
}

function validateKind(resource: { apiVersion?: string; kind?: string }): FieldErrors {
  const { apiVersion = '', kind = '' } = resource;
  return also(
    apiVersion.split('/').length > 2 ? invalidValue(apiVersion, 'apiVersion') : noErrors,
    kind.trim() === '' ? missingField('kind') : noErrors,
  );
}

function validateSourceFilters(filters: readonly SubscriptionsApiFilter[] | undefined, context: AdmissionContext): FieldErrors {
  if (isFeatureEnabled(context, 'new-apiserversource-filters')) return validateFilters(filters);
  if (filters === undefined || filters.length === 0) return noErrors;
  return genericError('Filters is not empty but the NewAPIServerFilters feature is disabled.');
}
