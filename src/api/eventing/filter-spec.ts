import { array, describe, lazy, map, object, string, type Schema, type TypeOf } from '../schema.ts';

/** The legacy filter of a Trigger. */
export const triggerFilter = object({
  attributes: describe(map(string), "Exact values by attribute name; '' means any value."),
});
export type TriggerFilter = TypeOf<typeof triggerFilter>;

/** One filter of the Subscriptions API. Exactly one field is set; `exact`, `prefix` and `suffix` map attribute names to values. */
export interface SubscriptionsApiFilter {
  all?: SubscriptionsApiFilter[];
  any?: SubscriptionsApiFilter[];
  not?: SubscriptionsApiFilter;
  exact?: Record<string, string>;
  prefix?: Record<string, string>;
  suffix?: Record<string, string>;
  cesql?: string;
}

export const subscriptionsApiFilter: Schema<SubscriptionsApiFilter> = object({
  all: describe(array(lazy(() => subscriptionsApiFilter)), 'Every one must hold.'),
  any: describe(array(lazy(() => subscriptionsApiFilter)), 'At least one must hold.'),
  not: describe(
    lazy(() => subscriptionsApiFilter),
    'Must not hold.',
  ),
  exact: describe(map(string), 'Attributes that must equal the value.'),
  prefix: describe(map(string), 'Attributes that must start with the value.'),
  suffix: describe(map(string), 'Attributes that must end with the value.'),
  cesql: describe(string, 'CESQL expression that must be true.'),
});
