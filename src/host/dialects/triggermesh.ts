import { unsupported, type Dialect, type Translation } from './dialect.ts';
import { groupOf, textAt, type JsonObject } from './json-path.ts';
import { translateBroker, translateTrigger } from './triggermesh-broker.ts';
import { translateFilter, translateSplitter, translateSynchronizer, translateTransformation } from './triggermesh-flow.ts';
import { translateFunction, translatePoller, translateWebhook } from './triggermesh-source.ts';

const translators: Readonly<Record<string, (document: JsonObject) => Translation>> = {
  Transformation: translateTransformation,
  Filter: translateFilter,
  Splitter: translateSplitter,
  Synchronizer: translateSynchronizer,
  WebhookSource: translateWebhook,
  HTTPPollerSource: translatePoller,
  Function: translateFunction,
  MemoryBroker: translateBroker,
  RedisBroker: translateBroker,
  Trigger: translateTrigger,
};

/** TriggerMesh: transformations, filters, splitters, synchronizers and some sources; cloud connectors are reported. */
export const triggermesh: Dialect = {
  name: 'triggermesh',
  recognizes: (document) => groupOf(document).endsWith('.triggermesh.io'),
  translate(document) {
    if (!groupOf(document).endsWith('.triggermesh.io')) return undefined;
    const kind = textAt(document, 'kind') ?? '';
    const translate = Object.hasOwn(translators, kind) ? translators[kind] : undefined;
    if (translate !== undefined) return translate(document);
    return {
      verdict: 'report',
      objects: [],
      report: [unsupported('kind', `${kind} needs a service that is not here: not started, a plug-in may claim the kind`)],
      effective: null,
    };
  },
};
