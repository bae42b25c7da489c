import { resourceFields } from '../core/metadata.ts';
import { collectDifferences } from '../duck/immutable.ts';
import { defaultDelivery } from '../duck/validate-delivery.ts';
import { also, invalidValue, noErrors, viaField, viaKey, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import { object, present, type TypeOf } from '../schema.ts';
import { channelableSpecFields, channelableStatusFields, withSubscribable } from './channelable.ts';

const scopeAnnotation = 'eventing.knative.dev/scope';
/** The only user that may change who a channel delivers to. */
const controllerUser = 'system:serviceaccount:knative-eventing:eventing-controller';

const schema = object({
  ...resourceFields,
  spec: present(object(channelableSpecFields)),
  status: object(channelableStatusFields),
});

/** `messaging.knative.dev/v1` InMemoryChannel. */
export type InMemoryChannel = TypeOf<typeof schema>;

export const inMemoryChannels: Kind<InMemoryChannel> = {
  group: 'messaging.knative.dev',
  version: 'v1',
  kind: 'InMemoryChannel',
  plural: 'inmemorychannels',
  singular: 'inmemorychannel',
  shortNames: ['imc'],
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: defaultInMemoryChannel,
  validate: validateInMemoryChannel,
};

function defaultInMemoryChannel(channel: InMemoryChannel): InMemoryChannel {
  const delivery = defaultDelivery(channel.spec.delivery, channel.metadata.namespace);
  return {
    ...channel,
    metadata: { ...channel.metadata, annotations: withSubscribable(channel.metadata.annotations) },
    spec: { ...channel.spec, ...(delivery === undefined ? {} : { delivery }) },
  };
}

function validateInMemoryChannel(channel: InMemoryChannel, context: AdmissionContext): FieldErrors {
  const scope = channel.metadata.annotations?.[scopeAnnotation];
  return also(
    viaField(validateSubscribers(channel), 'spec'),
    scope === undefined || scope === 'cluster' || scope === 'namespace'
      ? noErrors
      : viaField(
          viaKey(invalidValue(scope, '', "expected either 'cluster' or 'namespace'"), scopeAnnotation),
          'metadata.annotations',
        ),
    context.operation === 'update' && context.old !== undefined ? validateSubscriberChange(channel, context) : noErrors,
  );
}

function validateSubscribers(channel: InMemoryChannel): FieldErrors {
  const errors = (channel.spec.subscribers ?? []).map((subscriber, index): FieldErrors => {
    if (subscriber.replyUri !== undefined || subscriber.subscriberUri !== undefined) return noErrors;
    const paths = ['replyURI', 'subscriberURI'].map((field) => `subscribable.subscriber[${index}].${field}`);
    return [{ message: 'missing field(s)', paths, details: 'expected at least one of, got none' }];
  });
  return also(...errors);
}

function validateSubscriberChange(channel: InMemoryChannel, context: AdmissionContext): FieldErrors {
  const { user = '', old } = context;
  if (user === controllerUser) return noErrors;
  const before: unknown = typeof old?.spec === 'object' && old.spec !== null ? Reflect.get(old.spec, 'subscribers') : undefined;
  const lines: string[] = [];
  collectDifferences(before, channel.spec.subscribers, 'subscribers', lines);
  if (lines.length === 0) return noErrors;
  const message = `Channel.Spec.Subscribers changed by user ${user} which was not the ${controllerUser} service account`;
  return [{ message, paths: ['spec.subscribers'], details: lines.join('\n') }];
}
