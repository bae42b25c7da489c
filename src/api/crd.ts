import { resourceNameOf, type Kind } from './kind.ts';
import { printerColumnsOf } from './printer-columns.ts';
import type { JsonSchema } from './schema.ts';

/**
 * The CustomResourceDefinition of a kind. Its schema gives structure only: what values are allowed, and which fields must be there,
 * is left to validation, so that users read the same messages with and without a cluster.
 */
export function makeCrd(kind: Kind): object {
  const properties: Record<string, unknown> = {};
  const known = propertiesOf(kind.schema.json);
  for (const [name, schema] of Object.entries(known)) {
    properties[name] = name === 'metadata' ? { type: 'object' } : structural(schema);
  }
  const columns = printerColumnsOf(kind);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: resourceNameOf(kind), labels: { 'app.kubernetes.io/name': 'knative-embed' } },
    spec: {
      group: kind.group,
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        categories: ['all', 'knative'],
        ...(kind.shortNames === undefined ? {} : { shortNames: kind.shortNames }),
      },
      versions: [
        {
          name: kind.version,
          served: true,
          storage: true,
          ...(kind.statusSubresource ? { subresources: { status: {} } } : {}),
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: { type: 'object', properties } },
        },
      ],
    },
  };
}

function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  const { properties } = schema;
  return isSchemaMap(properties) ? properties : {};
}

function isSchemaMap(value: unknown): value is Readonly<Record<string, JsonSchema>> {
  return typeof value === 'object' && value !== null;
}

const dropped = new Set(['enum', 'required', 'examples']);

/** The schema without what upstream leaves to its validators, in the form that the API server calls structural. */
function structural(schema: JsonSchema): JsonSchema {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (dropped.has(key) || (key === 'format' && value === 'quantity')) continue;
    if (key === 'properties' && isSchemaMap(value)) {
      result[key] = Object.fromEntries(Object.entries(value).map(([name, item]) => [name, structural(item)]));
    } else if ((key === 'items' || key === 'additionalProperties') && isSchema(value)) result[key] = structural(value);
    else result[key] = value;
  }
  return result;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
