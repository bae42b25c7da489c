import { condition, objectReference, resourceFields, statusFields } from '../core/metadata.ts';
import { addressStatusFields } from '../duck/addressable.ts';
import { channelTemplate, defaultChannelTemplate } from '../duck/channel-template.ts';
import { deliverySpec } from '../duck/delivery-spec.ts';
import { destination } from '../duck/destination.ts';
import { printDestination, printPointer } from '../duck/go-print.ts';
import { appliedPoliciesFields, authStatus } from '../duck/status.ts';
import { defaultDestination, validateDestination } from '../duck/validate-destination.ts';
import { also, invalidArrayValue, missingField, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import { array, describe, object, present, type TypeOf } from '../schema.ts';

const branch = object({
  filter: describe(destination, 'Decides by answering with an event, which replaces the event for this branch.'),
  subscriber: present(describe(destination, 'Who gets the events of the branch.')),
  reply: describe(destination, "Where the subscriber's answer goes; default: the reply of the whole."),
  delivery: describe(deliverySpec, 'For the subscriber, not for the filter.'),
});
const spec = object({
  branches: present(describe(array(branch), 'Every branch gets every event.')),
  channelTemplate: describe(channelTemplate, 'The channels in front of the branches; default: of config map default-ch-webhook.'),
  reply: destination,
});
const channelStatus = object({ channel: objectReference, ready: condition });
const subscriptionStatus = object({ subscription: objectReference, ready: condition });
const status = object({
  ...statusFields,
  ...addressStatusFields,
  ...appliedPoliciesFields,
  ingressChannelStatus: channelStatus,
  branchStatuses: array(
    object({
      filterSubscriptionStatus: subscriptionStatus,
      filterChannelStatus: channelStatus,
      subscriberSubscriptionStatus: subscriptionStatus,
    }),
  ),
  auth: authStatus,
});
const schema = object({ ...resourceFields, spec: present(spec), status });

/** `flows.knative.dev/v1` Parallel: branches side by side. */
export type Parallel = TypeOf<typeof schema>;

export const parallels: Kind<Parallel> = {
  group: 'flows.knative.dev',
  version: 'v1',
  kind: 'Parallel',
  plural: 'parallels',
  singular: 'parallel',
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: defaultParallel,
  validate: validateParallel,
};

// Upstream asks for the cluster's default template whatever the namespace.
function defaultParallel(parallel: Parallel, context: AdmissionContext): Parallel {
  const { namespace } = parallel.metadata;
  const { branches, reply, channelTemplate: template = defaultChannelTemplate(context, undefined) } = parallel.spec;
  return {
    ...parallel,
    spec: {
      ...parallel.spec,
      branches: branches.map((each) => ({
        ...each,
        ...(each.filter === undefined ? {} : { filter: defaultDestination(each.filter, namespace) }),
        subscriber: defaultDestination(each.subscriber, namespace),
        ...(each.reply === undefined ? {} : { reply: defaultDestination(each.reply, namespace) }),
      })),
      ...(template === undefined ? {} : { channelTemplate: template }),
      ...(reply === undefined ? {} : { reply: defaultDestination(reply, namespace) }),
    },
  };
}

function printBranch({ filter, subscriber, reply, delivery }: TypeOf<typeof branch>, index: number): string {
  const fields = [printPointer(filter, index), printDestination(subscriber, index), printPointer(reply, index)];
  return `{${[...fields, printPointer(delivery, index)].join(' ')}}`;
}

function validateParallel(parallel: Parallel, context: AdmissionContext): FieldErrors {
  const { branches, channelTemplate: template, reply } = parallel.spec;
  const scope = { context };
  const branchErrors = branches.flatMap((each, index) =>
    (['filter', 'subscriber', 'reply'] as const).map((field) =>
      validateDestination(each[field], scope).length === 0
        ? noErrors
        : invalidArrayValue(printBranch(each, index), `branches.${field}`, index),
    ),
  );
  const errors = also(branches.length === 0 ? missingField('branches') : noErrors, ...branchErrors);
  // Without a template upstream does not look at the reply either.
  if (template === undefined) return viaField(also(errors, missingField('channelTemplate')), 'spec');
  const rest = also(
    (template.apiVersion ?? '') === '' ? missingField('channelTemplate.apiVersion') : noErrors,
    (template.kind ?? '') === '' ? missingField('channelTemplate.kind') : noErrors,
    viaField(validateDestination(reply, scope), 'reply'),
  );
  return viaField(also(errors, rest), 'spec');
}
