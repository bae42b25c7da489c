import { unsupported, type Translation } from './dialect.ts';
import { reportFields, type FieldMeaning } from './code-engine-fields.ts';
import { textAt, textEntries, valueAt, type JsonObject } from './json-path.ts';

const means = (message: string): FieldMeaning => ({ level: 'mapped', message });

const meanings: Readonly<Record<string, FieldMeaning>> = {
  schedule: means('PingSource.spec.schedule'),
  time_zone: means('PingSource.spec.timezone'),
  data: means('PingSource.spec.data'),
  data_base64: means('PingSource.spec.dataBase64'),
  content_type: means('PingSource.spec.contentType'),
  destination: means('PingSource.spec.sink.ref'),
  destination_type: { level: 'info', message: 'kind of the destination' },
  path: means('PingSource.spec.sink.uri'),
  extensions: means('PingSource.spec.ceOverrides.extensions'),
};

/** A cron subscription becomes a PingSource; those to object storage and Kafka are reported. */
export function translateCron(document: JsonObject): Translation {
  const type = textAt(document, 'type') ?? '';
  const destinationType = textAt(document, 'destination_type') ?? 'app';
  if (type !== 'cron' || destinationType !== 'app') {
    const path = type === 'cron' ? 'destination_type' : 'type';
    const what = type === 'cron' ? `destinations of type ${destinationType}` : `subscriptions of type ${type}`;
    return { verdict: 'report', objects: [], report: [unsupported(path, `${what} are not started here`)], effective: null };
  }
  const destination = textAt(document, 'destination') ?? '';
  const path = textAt(document, 'path');
  const extensions = Object.fromEntries(textEntries(valueAt(document, 'extensions')));
  const spec: JsonObject = {
    schedule: textAt(document, 'schedule') ?? '* * * * *',
    sink: {
      ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: destination },
      ...(path === undefined ? {} : { uri: path }),
    },
  };
  for (const [field, source] of [
    ['timezone', 'time_zone'],
    ['data', 'data'],
    ['dataBase64', 'data_base64'],
    ['contentType', 'content_type'],
  ] as const) {
    const value = textAt(document, source);
    if (value !== undefined) spec[field] = value;
  }
  if (Object.keys(extensions).length > 0) spec['ceOverrides'] = { extensions };
  return {
    verdict: 'translate',
    objects: [
      { apiVersion: 'sources.knative.dev/v1', kind: 'PingSource', metadata: { name: textAt(document, 'name') ?? '' }, spec },
    ],
    report: reportFields(document, meanings).map((line) =>
      line.path === 'destination' ? { ...line, value: `Service/${destination}` } : line,
    ),
    effective: { kind: 'PingSource' },
  };
}
