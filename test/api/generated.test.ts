import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { makeEditorIndex, makeEditorSchema } from '../../src/api/editor-schema.ts';
import { services } from '../../src/api/serving/service.ts';
import { crdFiles, schemaFiles, writeGenerated } from '../../scripts/generated-files.ts';

const folderOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

test('crds/ and schemas/ are what the kinds say now', () => {
  expect(writeGenerated(folderOf('crds'), crdFiles(), true)).toEqual([]);
  expect(writeGenerated(folderOf('schemas'), schemaFiles(), true)).toEqual([]);
});

test('CRDs are structural: every property has a type or keeps what it gets', () => {
  const visit = (schema: Record<string, unknown>, path: string): void => {
    const open = schema['x-kubernetes-preserve-unknown-fields'] === true || schema['x-kubernetes-int-or-string'] === true;
    expect(open || typeof schema['type'] === 'string', path).toBe(true);
    for (const [name, item] of Object.entries((schema['properties'] ?? {}) as Record<string, Record<string, unknown>>)) {
      visit(item, `${path}.${name}`);
    }
    for (const key of ['items', 'additionalProperties']) {
      if (schema[key] !== undefined) visit(schema[key] as Record<string, unknown>, `${path}.${key}`);
    }
  };
  for (const [file, text] of crdFiles()) {
    const crd = parse(text) as { spec: { versions: { schema: { openAPIV3Schema: Record<string, unknown> } }[] } };
    for (const version of crd.spec.versions) visit(version.schema.openAPIV3Schema, file);
  }
});

const ajv = new Ajv({ strict: false });
ajv.addSchema(makeEditorSchema(services), 'service.json');
const isKnown = ajv.compile(makeEditorIndex([services], () => 'service.json'));
const isValid = (manifest: unknown): boolean => isKnown(manifest);

test('the editor schema picks the kind, takes its example, and finds a misspelt field', () => {
  const text = readFileSync(folderOf('test/vectors/manifests/cloud-run/04-sidecar-order.yaml'), 'utf8');
  const manifest = parse(text) as { spec: { template: { spec: Record<string, unknown> } } };
  expect(isValid(manifest)).toBe(true);
  manifest.spec.template.spec['contaners'] = [];
  expect(isValid(manifest)).toBe(false);
  expect(isValid({ apiVersion: 'example.com/v1', kind: 'Other', anything: true })).toBe(true);
});
