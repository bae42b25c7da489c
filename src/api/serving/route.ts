import type { Kind } from '../kind.ts';
import { array, object, present, string, type TypeOf } from '../schema.ts';
import { addressable, resourceFields, statusFields } from '../core/metadata.ts';
import { trafficTarget } from './traffic-target.ts';
import { defaultRoute, validateRoute } from './route-admission.ts';

export const routeSpecFields = { traffic: array(trafficTarget) };
export const routeStatusFields = { url: string, address: addressable, traffic: array(trafficTarget) };

const routeSchema = object({
  ...resourceFields,
  spec: present(object(routeSpecFields)),
  status: object({ ...statusFields, ...routeStatusFields }),
});
/** Which Revisions get which share of the requests for a host. */
export type Route = TypeOf<typeof routeSchema>;
export type RouteStatus = NonNullable<Route['status']>;

export const routes: Kind<Route> = {
  group: 'serving.knative.dev',
  version: 'v1',
  kind: 'Route',
  plural: 'routes',
  singular: 'route',
  shortNames: ['rt'],
  namespaced: true,
  schema: routeSchema,
  statusSubresource: true,
  defaults: defaultRoute,
  validate: validateRoute,
};
