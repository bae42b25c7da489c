import { resourceFields, templateMeta } from '../core/metadata.ts';
import { podSpec } from '../core/pod-spec.ts';
import { sourceSpecFields, sourceStatusFields, validateSourceSpec } from '../duck/source-spec.ts';
import { validateDestination } from '../duck/validate-destination.ts';
import { also, missingField, noErrors, viaField, viaFieldIndex, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import { describe, object, present, type TypeOf } from '../schema.ts';

const template = object({ metadata: templateMeta, spec: present(podSpec) });
const spec = object({ ...sourceSpecFields, template: present(describe(template, 'The program that sends to K_SINK.')) });
const schema = object({ ...resourceFields, spec: present(spec), status: object(sourceStatusFields) });

/** `sources.knative.dev/v1` ContainerSource: a program of one's own as a source. */
export type ContainerSource = TypeOf<typeof schema>;

export const containerSources: Kind<ContainerSource> = {
  group: 'sources.knative.dev',
  version: 'v1',
  kind: 'ContainerSource',
  plural: 'containersources',
  singular: 'containersource',
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: defaultContainerSource,
  validate: validateContainerSource,
};

function defaultContainerSource(source: ContainerSource): ContainerSource {
  const { template: given } = source.spec;
  const containers = (given.spec.containers ?? []).map((container, index) =>
    (container.name ?? '') === '' ? { ...container, name: `${source.metadata.name}-${index}` } : container,
  );
  return { ...source, spec: { ...source.spec, template: { ...given, spec: { ...given.spec, containers } } } };
}

function validateContainerSource(source: ContainerSource, context: AdmissionContext): FieldErrors {
  const containers = source.spec.template.spec.containers ?? [];
  const errors = also(
    viaField(validateDestination(source.spec.sink, { context }), 'sink'),
    containers.length === 0 ? missingField('containers') : noErrors,
    ...containers.map(({ name, image }, index) =>
      viaFieldIndex(
        also((name ?? '') === '' ? missingField('name') : noErrors, (image ?? '') === '' ? missingField('image') : noErrors),
        'containers',
        index,
      ),
    ),
    validateSourceSpec(source.spec, { context }),
  );
  return viaField(errors, 'spec');
}
