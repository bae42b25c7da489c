import type { Kind } from '../kind.ts';
import { array, int32, object, oneOf, required, string, type TypeOf } from '../schema.ts';
import { objectReference, resourceFields } from './metadata.ts';

const endpointAddress = object({ ip: required(string), hostname: string, nodeName: string, targetRef: objectReference });
const endpointPort = object({
  name: string,
  port: required(int32),
  protocol: oneOf('TCP', 'UDP', 'SCTP'),
  appProtocol: string,
});
const endpointSubset = object({
  addresses: array(endpointAddress),
  notReadyAddresses: array(endpointAddress),
  ports: array(endpointPort),
});
export type EndpointAddress = TypeOf<typeof endpointAddress>;
export type EndpointSubset = TypeOf<typeof endpointSubset>;

const endpointsSchema = object({ ...resourceFields, subsets: array(endpointSubset) });
export type Endpoints = TypeOf<typeof endpointsSchema>;

export const endpoints: Kind<Endpoints> = {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  schema: endpointsSchema,
  statusSubresource: false,
};
