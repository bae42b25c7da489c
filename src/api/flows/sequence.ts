import { addressable, objectReference, condition, resourceFields, statusFields } from '../core/metadata.ts';
import { channelTemplate, defaultChannelTemplate, validateChannelTemplate } from '../duck/channel-template.ts';
import { deliverySpec } from '../duck/delivery-spec.ts';
import { destination, kReference, uriReference } from '../duck/destination.ts';
import { printDestination, printPointer } from '../duck/go-print.ts';
import { appliedPoliciesFields, authStatus } from '../duck/status.ts';
import { validateDelivery } from '../duck/validate-delivery.ts';
import { defaultDestination, validateDestination } from '../duck/validate-destination.ts';
import { also, invalidArrayValue, missingField, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext, Kind } from '../kind.ts';
import { array, describe, object, present, string, type TypeOf } from '../schema.ts';

const step = object({ ref: kReference, uri: uriReference, CACerts: string, audience: string, delivery: deliverySpec });
const spec = object({
  steps: present(describe(array(step), 'Each gets the answer of the step before it; an answer without event ends the flow.')),
  channelTemplate: describe(channelTemplate, 'The channels between the steps; default: of config map default-ch-webhook.'),
  reply: describe(destination, "Where the last step's answer goes."),
});
const status = object({
  ...statusFields,
  subscriptionStatuses: array(object({ subscription: objectReference, ready: condition })),
  channelStatuses: array(object({ channel: objectReference, ready: condition })),
  address: addressable,
  addresses: array(addressable),
  auth: authStatus,
  ...appliedPoliciesFields,
});
const schema = object({ ...resourceFields, spec: present(spec), status });

/** `flows.knative.dev/v1` Sequence: steps one after the other. */
export type Sequence = TypeOf<typeof schema>;

export const sequences: Kind<Sequence> = {
  group: 'flows.knative.dev',
  version: 'v1',
  kind: 'Sequence',
  plural: 'sequences',
  singular: 'sequence',
  namespaced: true,
  schema,
  statusSubresource: true,
  defaults: defaultSequence,
  validate: validateSequence,
};

// Upstream asks for the cluster's default template whatever the namespace.
function defaultSequence(sequence: Sequence, context: AdmissionContext): Sequence {
  const { namespace } = sequence.metadata;
  const { steps, reply, channelTemplate: template = defaultChannelTemplate(context, undefined) } = sequence.spec;
  return {
    ...sequence,
    spec: {
      ...sequence.spec,
      steps: steps.map((each) => defaultDestination(each, namespace)),
      ...(template === undefined ? {} : { channelTemplate: template }),
      ...(reply === undefined ? {} : { reply: defaultDestination(reply, namespace) }),
    },
  };
}

function validateSequence(sequence: Sequence, context: AdmissionContext): FieldErrors {
  const { steps, channelTemplate: template, reply } = sequence.spec;
  const scope = { context };
  const stepErrors = steps.map((each, index) => {
    const { delivery, ...to } = each;
    const isValid = also(validateDestination(to, scope), validateDelivery(delivery, scope)).length === 0;
    const print = `{${printDestination(to, index)} ${printPointer(delivery, index)}}`;
    return isValid ? noErrors : invalidArrayValue(print, 'steps', index);
  });
  const errors = also(
    steps.length === 0 ? missingField('steps') : noErrors,
    ...stepErrors,
    template === undefined ? missingField('channelTemplate') : viaField(validateChannelTemplate(template), 'channelTemplate'),
    viaField(validateDestination(reply, scope), 'reply'),
  );
  return viaField(errors, 'spec');
}
