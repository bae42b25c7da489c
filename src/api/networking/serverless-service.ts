import type { Kind } from '../kind.ts';
import { describe, object, oneOf, plainInt32, present, string, type TypeOf } from '../schema.ts';
import { objectReference, resourceFields, statusFields } from '../core/metadata.ts';
import { validateServerlessService } from './serverless-service-admission.ts';

const serverlessServiceSchema = object({
  ...resourceFields,
  spec: present(
    object({
      mode: oneOf('Proxy', 'Serve'),
      objectRef: present(objectReference),
      protocolType: oneOf('http1', 'h2c'),
      numActivators: describe(plainInt32, 'how many activators are in the path; 0 means all'),
    }),
  ),
  status: object({ ...statusFields, serviceName: string, privateServiceName: string }),
});
/** Whether a Revision's public Service points at its Pods or at activators. */
export type ServerlessService = TypeOf<typeof serverlessServiceSchema>;
export type ServerlessServiceStatus = NonNullable<ServerlessService['status']>;

export const serverlessServices: Kind<ServerlessService> = {
  group: 'networking.internal.knative.dev',
  version: 'v1alpha1',
  kind: 'ServerlessService',
  plural: 'serverlessservices',
  singular: 'serverlessservice',
  shortNames: ['sks'],
  namespaced: true,
  schema: serverlessServiceSchema,
  statusSubresource: true,
  validate: validateServerlessService,
};
