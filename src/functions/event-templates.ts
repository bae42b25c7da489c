import type { CloudEventFields } from './cloud-event.ts';

/** What a template leaves open: id and time are filled in when the event is made. */
export type EventTemplate = Omit<CloudEventFields, 'id'> & { readonly id?: string };

/**
 * Events as the usual sources send them, for tests and for `knative-embed send --template`: attributes as documented by the source,
 * data cut down to what handlers look at.
 */
export const eventTemplates = {
  /** What `func invoke` sends. */
  func: {
    source: '/boson/fn',
    type: 'boson.fn',
    datacontenttype: 'application/json',
    data: { message: 'Hello World' },
  },
  /** PingSource. */
  ping: {
    source: '/apis/v1/namespaces/default/pingsources/ping',
    type: 'dev.knative.sources.ping',
    datacontenttype: 'application/json',
    data: { message: 'Hello, world!' },
  },
  /** ApiServerSource, in Resource mode. */
  apiserver: {
    source: 'https://kubernetes.default.svc',
    type: 'dev.knative.apiserver.resource.update',
    subject: '/apis/v1/namespaces/default/pods/web-0',
    datacontenttype: 'application/json',
    kind: 'Pod',
    name: 'web-0',
    namespace: 'default',
    data: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-0', namespace: 'default' }, status: { phase: 'Running' } },
  },
  /** A message of Google Cloud Pub/Sub; the data are Base64. */
  pubsub: {
    source: '//pubsub.googleapis.com/projects/sample/topics/orders',
    type: 'google.cloud.pubsub.topic.v1.messagePublished',
    datacontenttype: 'application/json',
    data: {
      message: {
        data: 'SGVsbG8=',
        attributes: { kind: 'greeting' },
        messageId: '136969346945',
        publishTime: '2026-01-01T00:00:00Z',
      },
      subscription: 'projects/sample/subscriptions/orders',
    },
  },
  /** An object written to Google Cloud Storage. */
  gcs: {
    source: '//storage.googleapis.com/projects/_/buckets/sample',
    type: 'google.cloud.storage.object.v1.finalized',
    subject: 'objects/photo.jpg',
    datacontenttype: 'application/json',
    data: { bucket: 'sample', name: 'photo.jpg', contentType: 'image/jpeg', size: '352' },
  },
  /** An object written to S3, as the AWS source sends it. */
  s3: {
    source: 'arn:aws:s3:::sample',
    type: 'com.amazon.s3.objectcreated',
    subject: 'photo.jpg',
    datacontenttype: 'application/json',
    data: {
      eventName: 'ObjectCreated:Put',
      eventSource: 'aws:s3',
      awsRegion: 'eu-west-1',
      s3: { bucket: { name: 'sample', arn: 'arn:aws:s3:::sample' }, object: { key: 'photo.jpg', size: 352 } },
    },
  },
  /** A push to a repository, as GitHubSource sends it. */
  github: {
    source: 'https://github.com/sample/shop',
    type: 'dev.knative.source.github.push',
    datacontenttype: 'application/json',
    data: {
      ref: 'refs/heads/main',
      repository: { full_name: 'sample/shop', default_branch: 'main' },
      pusher: { name: 'ada' },
      commits: [{ id: 'd6fde92930d4715a2b49857d24b940956b26d2d3', message: 'Sell tea', author: { name: 'Ada' } }],
    },
  },
  /** A record of a Kafka topic, as KafkaSource sends it. */
  kafka: {
    source: '/apis/v1/namespaces/default/kafkasources/orders#orders',
    type: 'dev.knative.kafka.event',
    subject: 'partition:0#1',
    datacontenttype: 'application/json',
    key: 'o-1',
    data: { order: 'o-1', total: 12 },
  },
} as const satisfies Readonly<Record<string, EventTemplate>>;

/** Name of a template. */
export type EventTemplateName = keyof typeof eventTemplates;
