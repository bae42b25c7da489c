import { parseGoDuration } from '../../duration.ts';
import { mapped, unsupported, type ReportLine, type Translation } from './dialect.ts';
import { objectAt, textAt, valueAt, type JsonObject } from './json-path.ts';

function eventOf(spec: JsonObject | undefined): JsonObject {
  return { type: textAt(spec, 'eventType'), source: textAt(spec, 'eventSource') };
}

function notes(spec: JsonObject | undefined, fields: Readonly<Record<string, string>>): ReportLine[] {
  return Object.entries(fields).flatMap(([field, message]) => {
    const value = valueAt(spec, ...field.split('.'));
    return value === undefined ? [] : [mapped(`spec.${field}`, message, typeof value === 'object' ? undefined : value)];
  });
}

/** Names of the secrets that values come from, as `name/key`. */
function secretsOf(spec: JsonObject | undefined): readonly string[] {
  return Object.values(spec ?? {}).flatMap((value) => {
    const name = textAt(value, 'valueFromSecret', 'name');
    return name === undefined ? [] : [`${name}/${textAt(value, 'valueFromSecret', 'key') ?? ''}`];
  });
}

function authentication(spec: JsonObject | undefined): JsonObject {
  const secretsNeeded = secretsOf(spec);
  return {
    ...(valueAt(spec, 'basicAuthUsername') === undefined ? {} : { auth: 'basic' }),
    ...(secretsNeeded.length === 0 ? {} : { secretsNeeded }),
  };
}

export function translateWebhook(document: JsonObject): Translation {
  const spec = objectAt(document, 'spec');
  return {
    verdict: 'translate',
    objects: [],
    report: notes(spec, {
      eventType: 'type of the events',
      basicAuthUsername: 'basic authentication on the receiver',
      'eventExtensionAttributes.from': 'path, query and so on of the request become extension attributes',
      corsAllowOrigin: 'origin that browsers may call from',
    }),
    effective: { kind: 'webhook-source', event: eventOf(spec), ...authentication(spec) },
  };
}

export function translatePoller(document: JsonObject): Translation {
  const spec = objectAt(document, 'spec');
  const intervalMs = parseGoDuration(textAt(spec, 'interval') ?? '');
  return {
    verdict: 'translate',
    objects: [],
    report: notes(spec, {
      interval: 'poll interval',
      endpoint: 'polled address',
      headers: 'headers of the requests',
      basicAuthUsername: 'basic authentication of the requests',
    }),
    effective: {
      kind: 'poller-source',
      ...(intervalMs === undefined ? {} : { intervalSeconds: intervalMs / 1_000 }),
      method: textAt(spec, 'method') ?? 'GET',
      event: eventOf(spec),
      ...authentication(spec),
    },
  };
}

export function translateFunction(document: JsonObject): Translation {
  const spec = objectAt(document, 'spec');
  const runtime = textAt(spec, 'runtime') ?? '';
  const outputType = textAt(spec, 'ceOverrides', 'extensions', 'type');
  const known = runtime === 'node' || runtime === 'js';
  const report = [
    ...(known
      ? [mapped('spec.code', 'inline source, loaded as CommonJS', runtime)]
      : [unsupported('spec.runtime', `runtime ${runtime} is not run here`, runtime)]),
    ...notes(spec, {
      entrypoint: 'exported function',
      'ceOverrides.extensions.type': 'type of the event that carries the result',
    }),
  ];
  if (!known) return { verdict: 'report', objects: [], report, effective: null };
  return {
    verdict: 'translate',
    objects: [],
    report,
    effective: { kind: 'function', runtime, ...(outputType === undefined ? {} : { outputType }) },
  };
}
