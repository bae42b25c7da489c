import type { Kind } from '../kind.ts';
import {
  any,
  array,
  boolean,
  int32,
  int64,
  intOrString,
  map,
  object,
  oneOf,
  present,
  required,
  string,
  type TypeOf,
} from '../schema.ts';
import { podCondition } from './pod.ts';
import { resourceFields } from './metadata.ts';

export const servicePort = object({
  name: string,
  protocol: oneOf('TCP', 'UDP', 'SCTP'),
  appProtocol: string,
  port: required(int32),
  targetPort: intOrString,
  nodePort: int32,
});
export type ServicePort = TypeOf<typeof servicePort>;

const coreServiceSchema = object({
  ...resourceFields,
  spec: present(
    object({
      ports: array(servicePort),
      selector: map(string),
      clusterIP: string,
      clusterIPs: array(string),
      type: oneOf('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
      externalIPs: array(string),
      sessionAffinity: string,
      loadBalancerIP: string,
      loadBalancerSourceRanges: array(string),
      externalName: string,
      externalTrafficPolicy: string,
      healthCheckNodePort: int32,
      publishNotReadyAddresses: boolean,
      sessionAffinityConfig: any,
      ipFamilies: array(string),
      ipFamilyPolicy: string,
      allocateLoadBalancerNodePorts: boolean,
      loadBalancerClass: string,
      internalTrafficPolicy: string,
      trafficDistribution: string,
    }),
  ),
  status: object({
    observedGeneration: int64,
    loadBalancer: object({
      ingress: array(object({ ip: string, hostname: string, ipMode: string, ports: array(any) })),
    }),
    conditions: array(podCondition),
  }),
});
/** `v1` Service of Kubernetes; `Service` is Knative's. */
export type CoreService = TypeOf<typeof coreServiceSchema>;

export const coreServices: Kind<CoreService> = {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  namespaced: true,
  schema: coreServiceSchema,
  statusSubresource: true,
};
