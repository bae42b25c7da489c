import { resourceFields, statusFields } from '../core/metadata.ts';
import { addressStatusFields } from '../duck/addressable.ts';
import { awsS3, awsSns, awsSqs, integrationAuth, validateAws } from '../duck/integration.ts';
import { appliedPoliciesFields } from '../duck/status.ts';
import { also, genericError, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { Kind } from '../kind.ts';
import { boolean, describe, object, present, string, type TypeOf } from '../schema.ts';

const log = object({
  loggerName: string,
  level: string,
  logMask: boolean,
  marker: string,
  multiline: boolean,
  showAllProperties: boolean,
  showBody: boolean,
  showBodyType: boolean,
  showExchangePattern: boolean,
  showHeaders: boolean,
  showProperties: boolean,
  showStreams: boolean,
  showCachedStreams: boolean,
});
const spec = object({
  log: describe(log, 'Writes events to the log.'),
  aws: object({ s3: awsS3, sqs: awsSqs, sns: awsSns, auth: integrationAuth }),
});
const status = object({ ...statusFields, ...addressStatusFields, ...appliedPoliciesFields });
const schema = object({ ...resourceFields, spec: present(spec), status });

/** `sinks.knative.dev/v1alpha1` IntegrationSink: hands events to a service outside. */
export type IntegrationSink = TypeOf<typeof schema>;

export const integrationSinks: Kind<IntegrationSink> = {
  group: 'sinks.knative.dev',
  version: 'v1alpha1',
  kind: 'IntegrationSink',
  plural: 'integrationsinks',
  singular: 'integrationsink',
  namespaced: true,
  schema,
  statusSubresource: true,
  validate: validateIntegrationSink,
};

// Upstream names the spec twice.
function validateIntegrationSink(sink: IntegrationSink): FieldErrors {
  const { log: logger, aws } = sink.spec;
  const set = [logger, aws?.s3, aws?.sqs, aws?.sns].filter((each) => each !== undefined).length;
  if (set !== 1) {
    const problem = set > 1 ? 'only one sink type can be set' : 'at least one sink type must be specified';
    return viaField(genericError(problem, 'spec'), 'spec');
  }
  const { s3, sqs, sns, auth } = aws ?? {};
  const errors = also(
    s3 === undefined ? noErrors : validateAws(auth, 's3', { arn: s3.arn, region: s3.region }),
    sqs === undefined ? noErrors : validateAws(auth, 'sqs', { arn: sqs.arn, region: sqs.region }),
    sns === undefined ? noErrors : validateAws(auth, 'sns', { arn: sns.arn, region: sns.region }),
  );
  return viaField(errors, 'spec');
}
