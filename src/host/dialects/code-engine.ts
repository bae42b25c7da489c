import { unsupported, type Dialect, type Translation } from './dialect.ts';
import { translateApp } from './code-engine-app.ts';
import { translateCron } from './code-engine-cron.ts';
import { translateJob } from './code-engine-job.ts';
import { textAt, textEntries, valueAt, type JsonObject } from './json-path.ts';

/** IBM Code Engine: bodies of its API version 2 become Services, jobs and sources. */
export const codeEngine: Dialect = {
  name: 'code-engine',
  recognizes: (document) => resourceType(document) !== undefined || isSubscription(document),
  translate(document) {
    if (isSubscription(document)) return translateCron(document);
    switch (resourceType(document)) {
      case undefined:
        return undefined;
      case 'app_v2':
        return translateApp(document);
      case 'job_v2':
        return translateJob(document);
      case 'config_map_v2':
        return translateData(document, 'ConfigMap');
      case 'secret_generic_v2':
        return translateData(document, 'Secret');
      default:
        return {
          verdict: 'report',
          objects: [],
          report: [unsupported('resource_type', `${resourceType(document) ?? ''} is not known here`)],
          effective: null,
        };
    }
  },
};

function resourceType(document: JsonObject): string | undefined {
  const type = textAt(document, 'resource_type');
  return type?.endsWith('_v2') === true ? type : undefined;
}

const isSubscription = (document: JsonObject): boolean =>
  document['kind'] === 'Subscription' && document['apiVersion'] === undefined && typeof document['type'] === 'string';

function translateData(document: JsonObject, kind: 'ConfigMap' | 'Secret'): Translation {
  const data = Object.fromEntries(textEntries(valueAt(document, 'data')));
  return {
    verdict: 'translate',
    objects: [
      {
        apiVersion: 'v1',
        kind,
        metadata: { name: textAt(document, 'name') ?? '' },
        ...(kind === 'Secret' ? { stringData: data } : { data }),
      },
    ],
    report: [],
    effective: { kind, name: textAt(document, 'name') },
  };
}
