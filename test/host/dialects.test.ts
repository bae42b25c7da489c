import { expect, test } from 'vitest';
import { admit } from '../../src/host/admission/admit.ts';
import type { DialectName } from '../../src/host/dialects/dialect.ts';

const service = (spec: object, metadata: object = {}): object => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'a', ...metadata },
  spec: { template: { spec: { containers: [{ image: 'x/y' }], ...spec } } },
});

async function effective(object: object, dialect: DialectName | 'knative'): Promise<unknown> {
  const { documents } = await admit(object, { dialect });
  expect(documents[0]?.problems).toEqual([]);
  return documents[0]?.effective;
}

test('a concurrency of 0 is 80 on Cloud Run, no limit on GKE and in Knative', async () => {
  const object = service({ containerConcurrency: 0 });
  expect(await effective(object, 'cloud-run')).toMatchObject({ containerConcurrency: 80 });
  expect(await effective(object, 'cloud-run-anthos')).toMatchObject({ containerConcurrency: 0 });
  expect(await effective(object, 'knative')).toMatchObject({ containerConcurrency: 0 });
});

test('NFS volumes of Cloud Run are admitted, and said to need a directory', async () => {
  const object = service({
    containers: [{ image: 'x/y', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
    volumes: [{ name: 'v', nfs: { server: '10.0.0.1', path: '/share' } }],
  });
  const { documents } = await admit(object, { dialect: 'cloud-run' });
  expect(documents[0]?.verdict).toBe('accept');
  expect(documents[0]?.report).toContainEqual(
    expect.objectContaining({ level: 'unsupported', path: 'spec.template.spec.volumes[0].nfs' }),
  );
});

test('service-level limits lie over those of the template', async () => {
  const annotations = { 'run.googleapis.com/minScale': '3', 'run.googleapis.com/maxScale': '5' };
  const object = service({}, { annotations });
  expect(await effective(object, 'cloud-run')).toMatchObject({ minScale: 3, maxScale: 5 });
});

test.each([
  [{ 'run.googleapis.com/ingress': 'internal' }, 'cloud-run'],
  [{ 'serving.knative.openshift.io/setRouteTimeout': '30' }, 'openshift'],
  [{ 'autoscaling.knative.dev/x': '1' }, 'knative'],
])('a dialect is recognised by annotations: %j', async (annotations, dialect) => {
  const { documents } = await admit(service({}, { annotations }));
  expect(documents[0]?.dialect).toBe(dialect);
});

test('OpenShift: a timeout that is no whole number makes no route', async () => {
  const object = service({}, { annotations: { 'serving.knative.openshift.io/setRouteTimeout': '12m' } });
  const { documents } = await admit(object, { dialect: 'openshift' });
  expect(documents[0]?.effective).toMatchObject({ route: null });
  expect(documents[0]?.report.some(({ message }) => message.includes('invalid timeout value: 12m'))).toBe(true);
});

test.each([
  ['0-4,9', [0, 1, 2, 3, 4, 9]],
  ['3', [3]],
  ['1-3,2-4', [1, 2, 3, 4]],
])('Code Engine: the indexes of %s', async (spec, indices) => {
  const job = { resource_type: 'job_v2', name: 'j', image_reference: 'x/y', scale_array_spec: spec };
  expect(await effective(job, 'code-engine')).toMatchObject({ indices, maxRetries: 3 });
});

test('Code Engine: a daemon has no time limit, and unknown fields get a suggestion', async () => {
  const daemon = { resource_type: 'job_v2', name: 'j', image_reference: 'x/y', run_mode: 'daemon', scale_retry_limit: 2 };
  expect((await admit(daemon, { dialect: 'code-engine' })).documents[0]).toMatchObject({
    verdict: 'reject',
    problems: [{ path: 'scale_retry_limit', message: 'not allowed in daemon mode' }],
  });
  const app = { resource_type: 'app_v2', name: 'a', image_reference: 'x/y', scale_max_instance: 3 };
  expect((await admit(app, { dialect: 'code-engine' })).documents[0]?.report).toContainEqual(
    expect.objectContaining({ path: 'scale_max_instance', level: 'unsupported', suggestion: 'scale_max_instances' }),
  );
});

test('riff: the image of a function in the same file is used', async () => {
  const { documents } = await admit(
    [
      {
        apiVersion: 'build.projectriff.io/v1alpha1',
        kind: 'Function',
        metadata: { name: 'f' },
        spec: { image: 'r.example.com/fn' },
      },
      {
        apiVersion: 'core.projectriff.io/v1alpha1',
        kind: 'Deployer',
        metadata: { name: 'd' },
        spec: { build: { functionRef: 'f' } },
      },
    ],
    {},
  );
  expect(documents[1]?.objects[0]?.resource).toMatchObject({
    kind: 'Configuration',
    spec: { template: { spec: { containers: [{ image: 'r.example.com/fn' }] } } },
  });
});

test('Tekton: tasks run after those whose results they use', async () => {
  const run = {
    apiVersion: 'tekton.dev/v1',
    kind: 'PipelineRun',
    metadata: { name: 'p' },
    spec: {
      pipelineSpec: {
        tasks: [
          { name: 'use', params: [{ name: 'x', value: '$(tasks.make.results.x)' }] },
          { name: 'last', runAfter: ['use'] },
          { name: 'make' },
        ],
      },
    },
  };
  expect(await effective(run, 'build')).toMatchObject({ order: ['make', 'use', 'last'] });
});
