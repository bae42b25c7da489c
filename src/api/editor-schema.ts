import { apiVersionOf, type Kind } from './kind.ts';
import type { JsonSchema } from './schema.ts';

const draft = 'http://json-schema.org/draft-07/schema#';

/** The JSON Schema of a kind for editors: unknown fields are wrong, lists of values are offered. */
export function makeEditorSchema(kind: Kind): object {
  const schema = closed(kind.schema.json);
  const properties: Record<string, unknown> = isRecord(schema['properties']) ? { ...schema['properties'] } : {};
  properties['apiVersion'] = { const: apiVersionOf(kind) };
  properties['kind'] = { const: kind.kind };
  return { $schema: draft, title: kind.kind, ...schema, required: ['apiVersion', 'kind', 'metadata'], properties };
}

/** One schema for files of any of the kinds: it picks by apiVersion and kind. `fileOf` names the schema file of a kind. */
export function makeEditorIndex(kinds: readonly Kind[], fileOf: (kind: Kind) => string): object {
  return {
    $schema: draft,
    title: 'Knative',
    type: 'object',
    allOf: kinds.map((kind) => ({
      if: {
        required: ['apiVersion', 'kind'],
        properties: { apiVersion: { const: apiVersionOf(kind) }, kind: { const: kind.kind } },
      },
      then: { $ref: fileOf(kind) },
    })),
  };
}

/** Closes every object and takes out what only the API server understands. */
function closed(schema: JsonSchema): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  if (schema['format'] === 'quantity') {
    return { type: ['string', 'number'], ...(schema['description'] === undefined ? {} : { description: schema['description'] }) };
  }
  for (const [key, value] of Object.entries(schema)) {
    if (key.startsWith('x-kubernetes-')) continue;
    if (key === 'properties' && isRecord(value)) {
      result[key] = Object.fromEntries(Object.entries(value).map(([name, item]) => [name, isRecord(item) ? closed(item) : item]));
      result['additionalProperties'] = false;
    } else if ((key === 'items' || key === 'additionalProperties') && isRecord(value)) result[key] = closed(value);
    else if (key === 'format' && typeof value === 'string' && value.startsWith('int')) continue;
    else result[key] = value;
  }
  return result;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
