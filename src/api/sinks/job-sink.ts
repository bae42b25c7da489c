import { resourceFields, statusFields, templateMeta } from '../core/metadata.ts';
import { podSpec } from '../core/pod-spec.ts';
import { addressStatusFields } from '../duck/addressable.ts';
import { appliedPoliciesFields } from '../duck/status.ts';
import { missingOneOf, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { Kind } from '../kind.ts';
import { anyObject, boolean, describe, int32, int64, object, present, string, type TypeOf } from '../schema.ts';

const job = object({
  apiVersion: string,
  kind: string,
  metadata: templateMeta,
  spec: present(
    object({
      parallelism: int32,
      completions: int32,
      activeDeadlineSeconds: int64,
      podFailurePolicy: anyObject,
      successPolicy: anyObject,
      backoffLimit: int32,
      backoffLimitPerIndex: int32,
      maxFailedIndexes: int32,
      selector: anyObject,
      manualSelector: boolean,
      template: present(object({ metadata: templateMeta, spec: present(podSpec) })),
      ttlSecondsAfterFinished: int32,
      completionMode: string,
      suspend: boolean,
      podReplacementPolicy: string,
      managedBy: string,
    }),
  ),
  status: anyObject,
});
const spec = object({ job: describe(job, 'The job that runs for each event.') });
const status = object({
  ...statusFields,
  ...addressStatusFields,
  ...appliedPoliciesFields,
  job: object({ selector: string }),
});
const schema = object({ ...resourceFields, spec: present(spec), status });

/** `sinks.knative.dev/v1alpha1` JobSink: a job for every event. */
export type JobSink = TypeOf<typeof schema>;
type Container = NonNullable<TypeOf<typeof podSpec>['containers']>[number];

const executionModeVariable = 'K_EXECUTION_MODE';

export const jobSinks: Kind<JobSink> = {
  group: 'sinks.knative.dev',
  version: 'v1alpha1',
  kind: 'JobSink',
  plural: 'jobsinks',
  singular: 'jobsink',
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: defaultJobSink,
  validate: validateJobSink,
};

function defaultJobSink(sink: JobSink): JobSink {
  const given = sink.spec.job;
  if (given === undefined) return sink;
  const { template } = given.spec;
  const { containers, initContainers } = template.spec;
  const pod = {
    ...template.spec,
    ...(containers === undefined ? {} : { containers: containers.map(withExecutionMode) }),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(withExecutionMode) }),
  };
  return { ...sink, spec: { ...sink.spec, job: { ...given, spec: { ...given.spec, template: { ...template, spec: pod } } } } };
}

function withExecutionMode(container: Container): Container {
  const env = container.env ?? [];
  if (env.some(({ name }) => name === executionModeVariable)) return container;
  return { ...container, env: [...env, { name: executionModeVariable, value: 'batch' }] };
}

// Upstream also has the API server try the job; here whoever makes the job finds its errors.
function validateJobSink(sink: JobSink): FieldErrors {
  return sink.spec.job === undefined ? viaField(missingOneOf('job'), 'spec') : noErrors;
}
