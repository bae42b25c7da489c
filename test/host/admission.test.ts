import fc from 'fast-check';
import { expect, test } from 'vitest';
import { admit } from '../../src/host/admission/admit.ts';
import { readDocuments } from '../../src/host/admission/yaml-documents.ts';

const service = (image: string): string => `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
spec:
  template:
    spec:
      containers:
      - image: ${image}
`;

test('a Service is decoded, defaulted and allowed', async () => {
  const { documents, allowed } = await admit(service('example.com/hello'), { user: 'alice' });
  expect(allowed).toBe(true);
  const [document] = documents;
  expect(document).toMatchObject({ verdict: 'accept', dialect: 'knative', name: 'hello' });
  expect(document?.objects[0]?.resource).toMatchObject({
    metadata: { namespace: 'default', annotations: { 'serving.knative.dev/creator': 'alice' } },
    spec: { template: { spec: { timeoutSeconds: 300 } }, traffic: [{ latestRevision: true, percent: 100 }] },
  });
});

test('problems name file position, path and what was meant', async () => {
  const text = `${service('example.com/hello')}---\n${service('example.com/hello').replace('image:', 'imag:')}`;
  const { documents, allowed } = await admit(text);
  expect(allowed).toBe(false);
  expect(documents.map(({ verdict }) => verdict)).toEqual(['accept', 'reject']);
  expect(documents[1]?.problems).toMatchObject([
    {
      source: 'decode',
      path: 'spec.template.spec.containers[0].imag',
      suggestion: 'image',
      position: { line: 19, column: 9 },
    },
    { source: 'validation', path: 'spec.template.spec.containers[0].image', message: 'missing field(s)' },
  ]);
});

test('unknown fields can be dropped with a warning instead', async () => {
  const text = service('example.com/hello').replace('    spec:', '    specs: 1\n    spec:');
  const { documents } = await admit(text, { unknownFields: 'warn' });
  expect(documents[0]?.verdict).toBe('accept');
  expect(documents[0]?.warnings[0]).toContain('did you mean "spec"?');
});

test('an annotation with dots in its key is found', async () => {
  const text = service('x/y').replace(
    '    spec:',
    '    metadata:\n      annotations:\n        autoscaling.knative.dev/min-scale: "-1"\n    spec:',
  );
  const { documents } = await admit(text);
  expect(documents[0]?.problems[0]).toMatchObject({
    path: 'spec.template.metadata.annotations.autoscaling.knative.dev/min-scale',
    position: { line: 9, column: 9 },
  });
});

test('YAML as upstream reads it: 1.1 scalars, anchors, merge keys, end markers, lists', async () => {
  const documents = await readDocuments(
    'a: yes\nb: 010\nbase: &base {x: 1}\nc: {<<: *base, z: 2}\nat: 12:30\non: 2024-01-01\n...\n{ this is ignored\n---\n# nothing\n---\n{"kind": "List"}\n',
  );
  expect(documents.map(({ index, value, notes }) => [index, value, notes.length])).toEqual([
    [0, { a: true, b: 8, base: { x: 1 }, c: { x: 1, z: 2 }, at: '12:30', true: '2024-01-01' }, 1],
    [1, { kind: 'List' }, 0],
  ]);
});

test('the items of a List are documents', async () => {
  const list = { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } }] };
  const { documents } = await admit(list);
  expect(documents).toMatchObject([{ verdict: 'accept', kind: 'Namespace' }]);
});

test('text that is not YAML is one problem with its place; the rest of the file is read', async () => {
  const { documents } = await admit(`a: [1\n---\n${service('x/y')}`);
  expect(documents[0]?.problems[0]).toMatchObject({ source: 'yaml', position: { line: 1 } });
  expect(documents[1]?.verdict).toBe('accept');
});

test('alias bombs and huge files end with an error', async () => {
  const bomb = Array.from(
    { length: 12 },
    (_, i) =>
      `a${i}: &a${i} [${
        i === 0
          ? '1'
          : Array(10)
              .fill(`*a${i - 1}`)
              .join(',')
      }]`,
  ).join('\n');
  expect((await admit(bomb)).documents[0]?.verdict).toBe('reject');
  await expect(admit('x'.repeat(11 * 1024 * 1024))).rejects.toMatchObject({ code: 'HOST_MANIFEST_TOO_LARGE' });
});

test('names are checked as the API server does', async () => {
  const named = (kind: string, name: string): object => ({ apiVersion: 'v1', kind, metadata: { name } });
  const { documents } = await admit([named('ConfigMap', 'a_b'), named('Namespace', 'a.b'), named('ConfigMap', 'a.b')]);
  expect(documents.map(({ verdict }) => verdict)).toEqual(['reject', 'reject', 'accept']);
  expect(documents[0]?.problems[0]).toMatchObject({ source: 'name', path: 'metadata.name' });
});

test('config maps are checked, and count for the documents after them', async () => {
  const config = (data: object): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'config-defaults', namespace: 'knative-serving' },
    data,
  });
  const object = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'a' },
    spec: { template: { spec: { containers: [{ image: 'x/y' }] } } },
  };
  const good = await admit([config({ 'revision-timeout-seconds': '120' }), object]);
  expect(good.documents[1]?.effective).toMatchObject({ timeoutSeconds: 120 });
  const bad = await admit([config({ 'revision-timeout-seconds': '12000' })]);
  expect(bad.documents[0]?.problems).toMatchObject([
    { path: 'data', message: expect.stringContaining('cannot be greater') as string },
  ]);
});

test('an update is judged against the stored object', async () => {
  const text = service('example.com/hello').replace('    spec:', '    metadata: {name: hello-one}\n    spec:');
  const first = await admit(text);
  const stored = first.documents[0]?.objects[0]?.resource;
  const same = await admit(text.replace('example.com/hello', 'example.com/other'), { stored: () => stored });
  expect(same.documents[0]?.error).toContain('Saw the following changes without a name change');
});

test('an object stored under a dialect is admitted under it again, and does not change', async () => {
  const cloudRun = `${service('gcr.io/a/b').replace('metadata:', 'metadata:\n  annotations: {run.googleapis.com/ingress: internal}')}      timeoutSeconds: 3600\n`;
  const first = await admit(cloudRun);
  const stored = first.documents[0]?.objects[0]?.resource;
  expect(stored).toMatchObject({ spec: { template: { spec: { containerConcurrency: 80, timeoutSeconds: 3600 } } } });
  const again = await admit(stored ?? {}, { dialect: 'knative', stored: () => stored });
  expect(again.allowed).toBe(true);
  expect(again.documents[0]?.objects[0]?.resource).toEqual(stored);
});

test('any JSON is answered, never thrown at', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 3 }), async (values) => {
      const text = values.map((value) => JSON.stringify(value)).join('\n---\n');
      for (const { verdict } of (await admit(text)).documents)
        expect(['accept', 'translate', 'report', 'reject']).toContain(verdict);
    }),
    { numRuns: 60 },
  );
});

const pieces = [
  'serving.knative.dev/v1',
  'Service',
  'metadata',
  'spec',
  'template',
  'containers',
  'run.googleapis.com/ingress',
  'x',
];

test('half-made Services under every dialect are answered too', async () => {
  const leaf = fc.oneof(fc.constantFrom(...pieces), fc.integer(), fc.boolean(), fc.constant(null));
  const tree = fc.letrec((tie) => ({
    value: fc.oneof(
      leaf,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...pieces), tie('value'), { maxKeys: 3 }),
    ),
  })).value;
  const dialects = [
    'cloud-run',
    'cloud-run-anthos',
    'code-engine',
    'openshift',
    'riff',
    'triggermesh',
    'gardener',
    'build',
  ] as const;
  await fc.assert(
    fc.asyncProperty(tree, tree, fc.constantFrom(...dialects), async (metadata, spec, dialect) => {
      const object = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata, spec };
      expect((await admit(object, { dialect })).documents).toHaveLength(1);
    }),
    { numRuns: 100 },
  );
});

test.each([
  ['serving.knative.dev/v1', 'Servce', 'serving.knative.dev/v1 Service'],
  ['eventing.knative.dev/v1', 'trigger', 'eventing.knative.dev/v1 Trigger'],
])('a kind that does not exist is refused with the one that is meant: %s %s', async (apiVersion, kind, suggestion) => {
  const { documents } = await admit({ apiVersion, kind, metadata: { name: 'a' } });
  expect(documents[0]).toMatchObject({ verdict: 'reject', problems: [{ path: 'kind', suggestion }] });
});

test('another version of a kind is left out with the one that is there', async () => {
  const { documents } = await admit({ apiVersion: 'serving.knative.dev/v1beta1', kind: 'Service', metadata: { name: 'a' } });
  expect(documents[0]).toMatchObject({ verdict: 'report', report: [{ suggestion: 'serving.knative.dev/v1 Service' }] });
});

test.each([
  ['sources.knative.dev/v1beta1', 'KafkaSource', 'report'],
  ['networking.istio.io/v1', 'VirtualService', 'report'],
  ['rbac.authorization.k8s.io/v1', 'Role', 'accept'],
])('kinds of others are left out and said: %s %s', async (apiVersion, kind, verdict) => {
  const { documents } = await admit({ apiVersion, kind, metadata: { name: 'a' } });
  expect(documents[0]).toMatchObject({ verdict, objects: [], report: [{ path: 'kind' }] });
});
