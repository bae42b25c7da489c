import { resourceFields, templateMeta } from '../core/metadata.ts';
import { podSpec } from '../core/pod-spec.ts';
import { awsDdbStreams, awsS3, awsSqs, integrationAuth, validateAws } from '../duck/integration.ts';
import { sourceSpecFields, sourceStatusFields } from '../duck/source-spec.ts';
import { also, genericError, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { Kind } from '../kind.ts';
import { describe, int64, object, present, string, type TypeOf } from '../schema.ts';

const timer = object({ period: int64, message: string, contentType: string, repeatCount: int64 });
const spec = object({
  ...sourceSpecFields,
  timer: describe(timer, 'A message again and again.'),
  aws: object({ s3: awsS3, sqs: awsSqs, ddbStreams: awsDdbStreams, auth: integrationAuth }),
  template: object({ metadata: templateMeta, spec: present(podSpec) }),
});
const schema = object({ ...resourceFields, spec: present(spec), status: object(sourceStatusFields) });

/** `sources.knative.dev/v1alpha1` IntegrationSource: events from a service outside. */
export type IntegrationSource = TypeOf<typeof schema>;

export const integrationSources: Kind<IntegrationSource> = {
  group: 'sources.knative.dev',
  version: 'v1alpha1',
  kind: 'IntegrationSource',
  plural: 'integrationsources',
  singular: 'integrationsource',
  namespaced: true,
  schema,
  statusSubresource: true,
  validate: validateIntegrationSource,
};

// Upstream does not look at the sink, and names the spec twice.
function validateIntegrationSource(source: IntegrationSource): FieldErrors {
  const { timer: clock, aws } = source.spec;
  const set = [clock, aws?.s3, aws?.sqs, aws?.ddbStreams].filter((each) => each !== undefined).length;
  if (set !== 1) {
    const problem = set > 1 ? 'only one source type can be set' : 'at least one source type must be specified';
    return viaField(genericError(problem, 'spec'), 'spec');
  }
  const { s3, sqs, ddbStreams, auth } = aws ?? {};
  const errors = also(
    s3 === undefined ? noErrors : validateAws(auth, 's3', { arn: s3.arn, region: s3.region }),
    sqs === undefined ? noErrors : validateAws(auth, 'sqs', { arn: sqs.arn, region: sqs.region }),
    ddbStreams === undefined
      ? noErrors
      : validateAws(auth, 'ddb-streams', { table: ddbStreams.table, region: ddbStreams.region }),
  );
  return viaField(errors, 'spec');
}
