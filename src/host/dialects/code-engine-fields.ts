import { nearestName } from '../../api/strict-decode.ts';
import { info, mapped, unsupported, type ReportLine } from './dialect.ts';
import { listAt, textAt, type JsonObject } from './json-path.ts';

/** What a field of a body means; `info` fields have no effect here. */
export interface FieldMeaning {
  readonly level: 'mapped' | 'info' | 'unsupported';
  readonly message: string;
}

/** One line per field of a body; unknown fields get the nearest known name. */
export function reportFields(document: JsonObject, meanings: Readonly<Record<string, FieldMeaning>>): ReportLine[] {
  const silent = new Set(['resource_type', 'name', 'kind', 'type']);
  return Object.entries(document).flatMap(([field, value]) => {
    if (silent.has(field)) return [];
    const meaning = Object.hasOwn(meanings, field) ? meanings[field] : undefined;
    const plain = typeof value === 'object' ? undefined : value;
    if (meaning !== undefined) return [{ mapped, info, unsupported }[meaning.level](field, meaning.message, plain)];
    const suggestion = nearestName(field, Object.keys(meanings));
    return [{ ...unsupported(field, 'unknown field'), ...(suggestion === undefined ? {} : { suggestion }) }];
  });
}

/** Environment of an app or job, in Kubernetes' terms. */
export function environmentOf(document: JsonObject): {
  readonly env: readonly JsonObject[];
  readonly envFrom: readonly JsonObject[];
} {
  const env: JsonObject[] = [];
  const envFrom: JsonObject[] = [];
  for (const variable of listAt(document, 'run_env_variables')) {
    const name = textAt(variable, 'name') ?? '';
    const reference = textAt(variable, 'reference') ?? '';
    const key = textAt(variable, 'key') ?? '';
    const prefix = textAt(variable, 'prefix');
    const whole = { ...(prefix === undefined ? {} : { prefix }) };
    switch (textAt(variable, 'type') ?? 'literal') {
      case 'secret_key_reference':
        env.push({ name, valueFrom: { secretKeyRef: { name: reference, key } } });
        break;
      case 'config_map_key_reference':
        env.push({ name, valueFrom: { configMapKeyRef: { name: reference, key } } });
        break;
      case 'secret_full_reference':
        envFrom.push({ ...whole, secretRef: { name: reference } });
        break;
      case 'config_map_full_reference':
        envFrom.push({ ...whole, configMapRef: { name: reference } });
        break;
      default:
        env.push({ name, value: textAt(variable, 'value') ?? '' });
    }
  }
  return { env, envFrom };
}
