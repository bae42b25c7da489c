import { resourceFields } from '../core/metadata.ts';
import { goJsonError, goJsonKind } from '../duck/go-json.ts';
import { sourceSpecFields, sourceStatusFields, validateSourceSpec } from '../duck/source-spec.ts';
import { validateDestination } from '../duck/validate-destination.ts';
import { also, invalidValue, multipleOneOf, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import { describe, object, present, string, type TypeOf } from '../schema.ts';
import { base64Error } from './base64-error.ts';
import { everyUnsupported, parseCronSchedule } from './cron-schedule.ts';

const spec = object({
  ...sourceSpecFields,
  schedule: describe(string, 'Cron schedule of five fields, or six with seconds first; default: every minute.'),
  timezone: describe(string, 'Time zone of the schedule; default: UTC.'),
  contentType: describe(string, 'Content type of the data.'),
  data: describe(string, 'Data of every event.'),
  dataBase64: describe(string, 'The same, as Base64.'),
});
const schema = object({ ...resourceFields, spec: present(spec), status: object(sourceStatusFields) });

/** `sources.knative.dev/v1` PingSource: an event by the clock. */
export type PingSource = TypeOf<typeof schema>;

export const pingSources: Kind<PingSource> = {
  group: 'sources.knative.dev',
  version: 'v1',
  kind: 'PingSource',
  plural: 'pingsources',
  singular: 'pingsource',
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: (source) => ({ ...source, spec: { ...source.spec, schedule: source.spec.schedule || '* * * * *' } }),
  validate: validatePingSource,
};

function validatePingSource(source: PingSource, context: AdmissionContext): FieldErrors {
  const scope = { context };
  const errors = also(
    validateSchedule(source.spec.schedule ?? '', source.spec.timezone ?? ''),
    viaField(validateDestination(source.spec.sink, scope), 'sink'),
    validateData(source, context),
    validateSourceSpec(source.spec, scope),
  );
  return viaField(errors, 'spec');
}

function validateSchedule(schedule: string, timezone: string): FieldErrors {
  const every = schedule.includes('@every') ? invalidValue(everyUnsupported, 'schedule') : noErrors;
  const parsed = parseCronSchedule(timezone === '' ? schedule : `CRON_TZ=${timezone} ${schedule}`);
  if (typeof parsed !== 'string' || parsed === everyUnsupported) return every;
  return also(every, invalidValue(parsed, parsed.startsWith('provided bad location') ? 'timezone' : 'schedule'));
}

function validateData(source: PingSource, context: AdmissionContext): FieldErrors {
  const { data = '', dataBase64 = '', contentType } = source.spec;
  if (data !== '' && dataBase64 !== '') return multipleOneOf('data', 'dataBase64');
  const isJson = contentType === 'application/json';
  if (dataBase64 !== '') {
    const invalid = base64Error(dataBase64);
    const problem = invalid ?? (isJson ? jsonObjectProblem(Buffer.from(dataBase64, 'base64').toString('latin1')) : undefined);
    return also(
      validateLength('dataBase64', Buffer.byteLength(dataBase64), context),
      problem === undefined ? noErrors : invalidValue(problem, 'dataBase64'),
    );
  }
  if (data === '') return noErrors;
  const problem = isJson ? jsonObjectProblem(data) : undefined;
  return also(
    validateLength('data', Buffer.byteLength(data), context),
    problem === undefined ? noErrors : invalidValue(problem, 'data'),
  );
}

function validateLength(field: string, length: number, context: AdmissionContext): FieldErrors {
  const limit = Number(context.config?.('config-ping-defaults')?.['data-max-size'] ?? -1);
  if (!Number.isInteger(limit) || limit <= -1 || length <= limit) return noErrors;
  return invalidValue(`the ${field} length of ${length} bytes exceeds limit set at ${limit}.`, field);
}

function jsonObjectProblem(text: string): string | undefined {
  const syntax = goJsonError(text);
  if (syntax !== '') return syntax;
  const kind = goJsonKind(text);
  return kind === 'object' || kind === 'null'
    ? undefined
    : `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
}
