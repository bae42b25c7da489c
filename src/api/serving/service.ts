import type { Kind } from '../kind.ts';
import { object, present, type TypeOf } from '../schema.ts';
import { resourceFields, statusFields } from '../core/metadata.ts';
import { configurationSpecFields, configurationStatusFields } from './configuration.ts';
import { routeSpecFields, routeStatusFields } from './route.ts';
import { defaultService, validateService, warnTemplateOf } from './service-admission.ts';

const serviceSchema = object({
  ...resourceFields,
  spec: present(object({ ...configurationSpecFields, ...routeSpecFields })),
  status: object({ ...statusFields, ...configurationStatusFields, ...routeStatusFields }),
});
/** A Configuration and the Route to it, as one object: what most users write. */
export type Service = TypeOf<typeof serviceSchema>;
export type ServiceStatus = NonNullable<Service['status']>;

export const services: Kind<Service> = {
  group: 'serving.knative.dev',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['kservice', 'ksvc'],
  namespaced: true,
  schema: serviceSchema,
  statusSubresource: true,
  defaults: defaultService,
  validate: validateService,
  warnings: warnTemplateOf,
};
