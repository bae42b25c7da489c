import { resourceFields } from '../core/metadata.ts';
import { channelTemplate, defaultChannelTemplate, validateChannelTemplate } from '../duck/channel-template.ts';
import { kReference } from '../duck/destination.ts';
import { immutableFields } from '../duck/immutable.ts';
import { defaultDelivery, validateDelivery } from '../duck/validate-delivery.ts';
import { also, disallowedFields, missingField, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import { describe, object, present, type TypeOf } from '../schema.ts';
import { channelableSpecFields, channelableStatusFields, withSubscribable } from './channelable.ts';

const spec = object({
  channelTemplate: describe(channelTemplate, 'The channel that is made; default: of config map default-ch-webhook.'),
  ...channelableSpecFields,
});
const status = object({ ...channelableStatusFields, channel: kReference });
const schema = object({ ...resourceFields, spec: present(spec), status });

/** `messaging.knative.dev/v1` Channel: a channel of whatever kind the template says. */
export type Channel = TypeOf<typeof schema>;

export const channels: Kind<Channel> = {
  group: 'messaging.knative.dev',
  version: 'v1',
  kind: 'Channel',
  plural: 'channels',
  singular: 'channel',
  shortNames: ['ch'],
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: defaultChannel,
  validate: validateChannel,
};

function defaultChannel(channel: Channel, context: AdmissionContext): Channel {
  const { namespace, annotations } = channel.metadata;
  const metadata = { ...channel.metadata, annotations: withSubscribable(annotations) };
  // With a template upstream leaves the delivery alone too.
  if (channel.spec.channelTemplate !== undefined) return { ...channel, metadata };
  const template = defaultChannelTemplate(context, namespace);
  const delivery = defaultDelivery(channel.spec.delivery, namespace);
  return {
    ...channel,
    metadata,
    spec: {
      ...channel.spec,
      ...(template === undefined ? {} : { channelTemplate: template }),
      ...(delivery === undefined ? {} : { delivery }),
    },
  };
}

function validateChannel(channel: Channel, context: AdmissionContext): FieldErrors {
  const { channelTemplate: template, subscribers, delivery } = channel.spec;
  const errors = also(
    template === undefined ? missingField('channelTemplate') : viaField(validateChannelTemplate(template), 'channelTemplate'),
    (subscribers ?? []).length > 0 ? disallowedFields('subscribable.subscribers') : noErrors,
    viaField(validateDelivery(delivery, { context, namespace: channel.metadata.namespace }), 'delivery'),
  );
  return also(
    viaField(errors, 'spec'),
    context.operation === 'update' && context.old !== undefined
      ? immutableFields(mutableLeftOut(context.old.spec), mutableLeftOut(channel.spec), 'spec')
      : noErrors,
  );
}

function mutableLeftOut(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'subscribers'));
}
