import { missingField, noErrors, also, type FieldErrors } from '../field-errors.ts';
import { boolean, int64, object, string, type TypeOf } from '../schema.ts';

/** How an integration signs in (`integration.knative.dev`'s Auth). */
export const integrationAuth = object({
  secret: object({ ref: object({ name: string }) }),
  accessKey: string,
  secretKey: string,
  serviceAccountName: string,
});

const awsCommon = { region: string, uriEndpointOverride: string, overrideEndpoint: boolean };

/** Settings for a bucket of AWS S3. */
export const awsS3 = object({
  ...awsCommon,
  arn: string,
  deleteAfterRead: boolean,
  moveAfterRead: boolean,
  destinationBucket: string,
  destinationBucketPrefix: string,
  destinationBucketSuffix: string,
  autoCreateBucket: boolean,
  prefix: string,
  ignoreBody: boolean,
  forcePathStyle: boolean,
  delay: int64,
  maxMessagesPerPoll: int64,
});

/** Settings for a queue of AWS SQS. */
export const awsSqs = object({
  ...awsCommon,
  arn: string,
  deleteAfterRead: boolean,
  autoCreateQueue: boolean,
  host: string,
  protocol: string,
  queueURL: string,
  greedy: boolean,
  delay: int64,
  maxMessagesPerPoll: int64,
  waitTimeSeconds: int64,
  visibilityTimeout: int64,
});

/** Settings for the streams of AWS DynamoDB. */
export const awsDdbStreams = object({ ...awsCommon, table: string, streamIteratorType: string, delay: int64 });

/** Settings for a topic of AWS SNS. */
export const awsSns = object({ ...awsCommon, arn: string, autoCreateTopic: boolean });

/** Errors of an AWS integration that is the only one set: who signs in, and its required fields. */
export function validateAws(
  auth: TypeOf<typeof integrationAuth> | undefined,
  name: string,
  required: Readonly<Record<string, string | undefined>>,
): FieldErrors {
  const signsIn = (auth?.secret?.ref?.name ?? '') !== '' || (auth?.serviceAccountName ?? '') !== '';
  return also(
    signsIn ? noErrors : missingField('aws.auth.secret.ref.name'),
    ...Object.entries(required).map(([field, value]) => ((value ?? '') === '' ? missingField(`aws.${name}.${field}`) : noErrors)),
  );
}
