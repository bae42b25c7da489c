import { parseGoDuration } from '../../duration.ts';
import { mapped, type ReportLine, type Translation } from './dialect.ts';
import { numberAt, objectAt, textAt, textEntries, valueAt, type JsonObject } from './json-path.ts';

function lineFor(document: JsonObject, message: string, ...path: readonly string[]): readonly ReportLine[] {
  const value = valueAt(document, 'spec', ...path);
  if (value === undefined) return [];
  return [mapped(['spec', ...path].join('.'), message, typeof value === 'object' ? undefined : value)];
}

const translated = (report: readonly ReportLine[], effective: JsonObject): Translation => ({
  verdict: 'translate',
  objects: [],
  report,
  effective,
});

export function translateTransformation(document: JsonObject): Translation {
  return translated(
    [
      ...lineFor(document, 'changes to event attributes', 'context'),
      ...lineFor(document, 'changes to event data; store and parse run before all others', 'data'),
    ],
    { kind: 'transformation', name: textAt(document, 'metadata', 'name') },
  );
}

export function translateFilter(document: JsonObject): Translation {
  return translated(lineFor(document, 'CEL over the JSON data; each $path.(type) is a typed lookup', 'expression'), {
    kind: 'filter',
    language: 'cel',
    expression: textAt(document, 'spec', 'expression'),
  });
}

export function translateSplitter(document: JsonObject): Translation {
  const context = objectAt(document, 'spec', 'ceContext');
  const event: JsonObject = Object.fromEntries(textEntries(valueAt(context, 'extensions')));
  for (const attribute of ['type', 'source'] as const) {
    const value = textAt(context, attribute);
    if (value !== undefined) event[attribute] = value;
  }
  return translated(lineFor(document, 'array in the data; one event per element, with type and source replaced', 'path'), {
    kind: 'splitter',
    event,
    idPattern: '<id>-<index from 0>',
  });
}

export function translateSynchronizer(document: JsonObject): Translation {
  const spec = objectAt(document, 'spec');
  const timeoutMs = parseGoDuration(textAt(spec, 'response', 'timeout') ?? '');
  return translated(
    [
      ...lineFor(document, 'extension attribute that joins request and reply', 'correlationKey'),
      ...lineFor(document, 'wait limit', 'response', 'timeout'),
    ],
    {
      kind: 'request-reply',
      attribute: textAt(spec, 'correlationKey', 'attribute'),
      ...(timeoutMs === undefined ? {} : { timeoutSeconds: timeoutMs / 1_000 }),
      keyLength: numberAt(spec, 'correlationKey', 'length') ?? 24,
    },
  );
}
