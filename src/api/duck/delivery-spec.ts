import { describe, int32, object, oneOf, string, type TypeOf } from '../schema.ts';
import { destination } from './destination.ts';

/** How events are delivered (`eventingduckv1.DeliverySpec`); every field is optional, nothing set means one try and no dead letter. */
export const deliverySpec = object({
  deadLetterSink: describe(destination, 'Where events go that could not be delivered.'),
  retry: describe(int32, 'Retries after the first try; default 0.'),
  timeout: describe(string, 'ISO 8601 period per try; default: none.'),
  backoffPolicy: describe(oneOf('linear', 'exponential'), 'How the wait before a retry grows.'),
  backoffDelay: describe(string, 'ISO 8601 period that the back-off policy multiplies.'),
  retryAfterMax: describe(
    string,
    'ISO 8601 period: the most that a Retry-After header may ask for; unset or PT0S ignores the header.',
  ),
  format: describe(oneOf('json', 'binary'), 'Content mode of deliveries: json is structured mode; default binary.'),
});
export type DeliverySpec = TypeOf<typeof deliverySpec>;
