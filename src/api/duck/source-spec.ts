import { statusFields } from '../core/metadata.ts';
import { also, invalidKeyName, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import { array, describe, map, object, present, string, type TypeOf } from '../schema.ts';
import { destination, type Destination } from './destination.ts';
import { authStatus } from './status.ts';
import { validateDestination, type ReferenceScope } from './validate-destination.ts';

/** Attributes that a source sets on every event (`duckv1.CloudEventOverrides`). */
export const cloudEventOverrides = object({ extensions: map(string) });
export type CloudEventOverrides = TypeOf<typeof cloudEventOverrides>;

/** The fields that every source has (`duckv1.SourceSpec`). */
export const sourceSpecFields = {
  sink: present(describe(destination, 'Where the events go.')),
  ceOverrides: describe(cloudEventOverrides, 'Extension attributes for every event.'),
};

/** The fields of every source's status (`duckv1.SourceStatus`). */
export const sourceStatusFields = {
  ...statusFields,
  sinkUri: string,
  sinkCACerts: string,
  sinkAudience: string,
  ceAttributes: array(object({ type: string, source: string })),
  auth: authStatus,
};

/** Errors of what every source has. */
export function validateSourceSpec(
  spec: { sink?: Destination; ceOverrides?: CloudEventOverrides },
  scope: ReferenceScope,
): FieldErrors {
  return also(
    viaField(validateDestination(spec.sink ?? {}, scope), 'sink'),
    viaField(validateOverrides(spec.ceOverrides), 'ceOverrides'),
  );
}

// Upstream stops at the first bad name, in the random order of a Go map; ours is the order of writing.
function validateOverrides(overrides: CloudEventOverrides | undefined): FieldErrors {
  for (const key of Object.keys(overrides?.extensions ?? {})) {
    if (key === '') return viaField(invalidKeyName(key, '', 'keys MUST NOT be empty'), 'extensions');
    if (!/^[A-Za-z0-9]+$/.test(key))
      return viaField(invalidKeyName(key, '', 'keys are expected to be alphanumeric'), 'extensions');
  }
  return noErrors;
}
