// Google's older background events and CloudEvents, one turned into the other: Pub/Sub, Storage, Firestore, Firebase.

export interface BackgroundContext {
  eventId?: unknown;
  timestamp?: unknown;
  eventType?: unknown;
  resource?: unknown;
  [name: string]: unknown;
}

export interface BackgroundEvent {
  readonly data: unknown;
  readonly context: BackgroundContext;
}

type Fields = Record<string, unknown>;

const pubSubService = 'pubsub.googleapis.com';
const storageService = 'storage.googleapis.com';
const firestoreService = 'firestore.googleapis.com';
const authService = 'firebaseauth.googleapis.com';
const databaseService = 'firebasedatabase.googleapis.com';
const analyticsService = 'firebase.googleapis.com';
const pubSubMessageType = 'type.googleapis.com/google.pubsub.v1.PubsubMessage';

interface EventKind {
  readonly cloudEvent: string;
  readonly background: string;
  readonly service: string;
}

const kinds: readonly EventKind[] = [
  kind('google.cloud.pubsub.topic.v1.messagePublished', 'google.pubsub.topic.publish', pubSubService),
  kind('google.cloud.pubsub.topic.v1.messagePublished', 'providers/cloud.pubsub/eventTypes/topic.publish', pubSubService),
  kind('google.cloud.storage.object.v1.finalized', 'google.storage.object.finalize', storageService),
  kind('google.cloud.storage.object.v1.finalized', 'providers/cloud.storage/eventTypes/object.change', storageService),
  kind('google.cloud.storage.object.v1.deleted', 'google.storage.object.delete', storageService),
  kind('google.cloud.storage.object.v1.archived', 'google.storage.object.archive', storageService),
  kind('google.cloud.storage.object.v1.metadataUpdated', 'google.storage.object.metadataUpdate', storageService),
  ...['write:written', 'create:created', 'update:updated', 'delete:deleted'].map((pair) => {
    const [verb = '', past = ''] = pair.split(':');
    return kind(
      `google.cloud.firestore.document.v1.${past}`,
      `providers/cloud.firestore/eventTypes/document.${verb}`,
      firestoreService,
    );
  }),
  kind('google.firebase.auth.user.v1.created', 'providers/firebase.auth/eventTypes/user.create', authService),
  kind('google.firebase.auth.user.v1.deleted', 'providers/firebase.auth/eventTypes/user.delete', authService),
  kind('google.firebase.analytics.log.v1.written', 'providers/google.firebase.analytics/eventTypes/event.log', analyticsService),
  ...['create:created', 'write:written', 'update:updated', 'delete:deleted'].map((pair) => {
    const [verb = '', past = ''] = pair.split(':');
    return kind(
      `google.firebase.database.ref.v1.${past}`,
      `providers/google.firebase.database/eventTypes/ref.${verb}`,
      databaseService,
    );
  }),
];

function kind(cloudEvent: string, background: string, service: string): EventKind {
  return { cloudEvent, background, service };
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The body of a Pub/Sub push subscription as a background event; `undefined` when it is none. The topic is read from the path. */
export function fromPubSubPush(body: unknown, path: string, nowIso: string): BackgroundEvent | undefined {
  if (!isRecord(body) || body['context'] || !body['subscription'] || !isRecord(body['message'])) return undefined;
  const { data, messageId, publishTime, attributes } = body['message'];
  if (!data || !messageId) return undefined;
  return {
    context: {
      eventId: messageId,
      timestamp: publishTime || nowIso,
      eventType: 'google.pubsub.topic.publish',
      resource: {
        service: pubSubService,
        type: pubSubMessageType,
        name: /projects\/[^/?]+\/topics\/[^/?]+/.exec(path)?.[0] ?? null,
      },
    },
    data: { '@type': pubSubMessageType, data, attributes: attributes || {} },
  };
}

/** Data and context of a background event's body. Throws as JavaScript does when there is no body at all. */
export function readBackgroundEvent(body: unknown): BackgroundEvent {
  // Not destructured: callers know the message that this throws for a missing body.
  const data = (body as Fields)['data'];
  const { data: _, context, ...rest } = body as Fields;
  return { data, context: isRecord(context) ? context : rest };
}

// Resources that carry the subject: how a resource name splits.
const resourcePatterns: Readonly<Record<string, RegExp>> = {
  [analyticsService]: /^(projects\/[^/]+)\/(events\/[^/]+)$/,
  [databaseService]: /^projects\/[^/]+\/(instances\/[^/]+)\/(refs\/.+)$/,
  [firestoreService]: /^(projects\/[^/]+\/databases\/\(default\))\/(documents\/.+)$/,
  [storageService]: /^(projects\/[^/]+\/buckets\/[^/]+)\/(objects\/.+)$/,
};

/** The CloudEvent of a background event's body; `undefined` when the body is none that can be converted. */
export function backgroundToCloudEvent(body: unknown): Fields | undefined {
  if (!isRecord(body) || !('data' in body)) return undefined;
  const { data, context } = readBackgroundEvent(body);
  const found = kinds.find(({ background }) => background === context.eventType);
  if (found === undefined || !('resource' in context)) return undefined;
  const { resource } = context;
  const name = typeof resource === 'string' ? resource : isRecord(resource) ? String(resource['name'] ?? '') : '';
  const service = (isRecord(resource) && typeof resource['service'] === 'string' && resource['service']) || found.service;
  const split = splitResource(service, name);
  const converted = isRecord(data) ? cloudEventData(service, data, context, split, body) : { data, split };
  return {
    specversion: '1.0',
    id: context.eventId,
    time: context.timestamp,
    datacontenttype: 'application/json',
    type: found.cloudEvent,
    source: `//${service}/${converted.split.resource}`,
    ...(converted.split.subject === '' ? {} : { subject: converted.split.subject }),
    data: converted.data,
  };
}

interface SplitResource {
  readonly resource: string;
  readonly subject: string;
}

function splitResource(service: string, name: string): SplitResource {
  const pattern = resourcePatterns[service];
  if (pattern === undefined) return { resource: name, subject: '' };
  const match = pattern.exec(name);
  if (match === null) throw new Error(`the resource ${JSON.stringify(name)} does not fit ${service}`);
  return { resource: match[1] ?? '', subject: match[2] ?? '' };
}

function cloudEventData(
  service: string,
  data: Fields,
  context: BackgroundContext,
  split: SplitResource,
  body: Fields,
): { data: unknown; split: SplitResource } {
  switch (service) {
    case pubSubService:
      return {
        data: {
          message: {
            ...data,
            publishTime: data['publishTime'] || context.timestamp,
            messageId: data['messageId'] || context.eventId,
          },
        },
        split,
      };
    case authService: {
      const renamed = renameMetadata(data, { createdAt: 'createTime', lastSignedInAt: 'lastSignInTime' });
      return { data: renamed, split: 'uid' in data ? { ...split, subject: `users/${String(data['uid'])}` } : split };
    }
    case databaseService: {
      const domain = String(body['domain'] ?? '');
      const location = domain === 'firebaseio.com' ? 'us-central1' : /^([\w-]+)\.firebasedatabase\.app$/.exec(domain)?.[1];
      if (location === undefined) throw new Error(`the domain ${JSON.stringify(domain)} names no database location`);
      return { data, split: { ...split, resource: `projects/_/locations/${location}/${split.resource}` } };
    }
    default:
      return { data, split };
  }
}

function renameMetadata(data: Fields, names: Readonly<Record<string, string>>): Fields {
  if (!isRecord(data['metadata'])) return data;
  return {
    ...data,
    metadata: Object.fromEntries(Object.entries(data['metadata']).map(([name, value]) => [names[name] ?? name, value])),
  };
}

/** A binary CloudEvent as a background event: Google's own types converted, others with their attributes as context. */
export function cloudEventToBackground(attributes: Readonly<Record<string, unknown>>, data: unknown): BackgroundEvent {
  const found = kinds.find(({ cloudEvent }) => cloudEvent === attributes['type']);
  if (found === undefined) return { data, context: { ...attributes } };
  const source = /^\/\/([^/]+)\/(.+)$/.exec(String(attributes['source']));
  if (source === null) throw new Error(`the source ${JSON.stringify(String(attributes['source']))} names no service`);
  const [, service = '', name = ''] = source;
  const subject = String(attributes['subject']);
  const fields = isRecord(data) ? data : {};
  const context = (resource: unknown): BackgroundContext => ({
    eventId: attributes['id'],
    timestamp: attributes['time'],
    eventType: found.background,
    resource,
  });
  switch (service) {
    case pubSubService: {
      const { messageId: _id, publishTime: _time, ...message } = isRecord(fields['message']) ? fields['message'] : fields;
      return { data: message, context: context({ service, name, type: pubSubMessageType }) };
    }
    case authService:
      return {
        data: renameMetadata(fields, { createTime: 'createdAt', lastSignInTime: 'lastSignedInAt' }),
        context: context(name),
      };
    case databaseService:
      return { data, context: context(`${name}/${subject}`.replace(/\/locations\/[^/]+/, '')) };
    case storageService:
      return { data, context: context({ name: `${name}/${subject}`, service, type: fields['kind'] }) };
    default:
      return { data, context: context(`${name}/${subject}`) };
  }
}
