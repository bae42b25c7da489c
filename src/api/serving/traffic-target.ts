import { boolean, describe, int64, object, string, type TypeOf } from '../schema.ts';

/** One share of a Route's traffic. */
export const trafficTarget = object({
  tag: describe(string, 'name of an own address for this target, TAG-ROUTE.NAMESPACE.DOMAIN'),
  revisionName: string,
  configurationName: describe(string, 'follow the latest ready Revision of this Configuration; Routes only'),
  latestRevision: describe(boolean, 'true: follow the latest ready Revision'),
  percent: int64,
  url: describe(string, 'address of the tag; status only'),
});
export type TrafficTarget = TypeOf<typeof trafficTarget>;
