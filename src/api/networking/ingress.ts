import type { Kind } from '../kind.ts';
import {
  array,
  boolean,
  describe,
  intOrString,
  map,
  object,
  oneOf,
  plainInt32,
  present,
  string,
  type TypeOf,
} from '../schema.ts';
import { resourceFields, statusFields } from '../core/metadata.ts';
import { defaultIngress, validateIngress } from './ingress-admission.ts';

const headerMatch = object({ exact: present(string) });

export const ingressBackendSplit = object({
  serviceNamespace: present(string),
  serviceName: present(string),
  servicePort: present(intOrString),
  percent: plainInt32,
  appendHeaders: map(string),
});
export type IngressBackendSplit = TypeOf<typeof ingressBackendSplit>;

export const httpIngressPath = object({
  path: describe(string, 'path prefix; empty matches everything'),
  rewriteHost: string,
  headers: map(headerMatch),
  splits: present(array(ingressBackendSplit)),
  appendHeaders: map(string),
});
export type HTTPIngressPath = TypeOf<typeof httpIngressPath>;

export const ingressRule = object({
  hosts: present(array(string)),
  visibility: oneOf('ExternalIP', 'ClusterLocal'),
  http: object({ paths: present(array(httpIngressPath)) }),
});
export type IngressRule = TypeOf<typeof ingressRule>;

export const ingressTLS = object({
  hosts: present(array(string)),
  secretName: present(string),
  secretNamespace: present(string),
});
export type IngressTLS = TypeOf<typeof ingressTLS>;

const loadBalancerStatus = object({
  ingress: array(object({ ip: string, domain: string, domainInternal: string, meshOnly: boolean })),
});
export type LoadBalancerStatus = TypeOf<typeof loadBalancerStatus>;

const ingressSchema = object({
  ...resourceFields,
  spec: present(
    object({
      tls: array(ingressTLS),
      rules: present(array(ingressRule)),
      httpOption: oneOf('Enabled', 'Redirected'),
    }),
  ),
  status: object({
    ...statusFields,
    publicLoadBalancer: loadBalancerStatus,
    privateLoadBalancer: loadBalancerStatus,
  }),
});
/** What a gateway has to do: hosts, paths, weighted splits and TLS; made by the Route and DomainMapping reconcilers. */
export type Ingress = TypeOf<typeof ingressSchema>;
export type IngressStatus = NonNullable<Ingress['status']>;

export const ingresses: Kind<Ingress> = {
  group: 'networking.internal.knative.dev',
  version: 'v1alpha1',
  kind: 'Ingress',
  plural: 'ingresses',
  singular: 'ingress',
  shortNames: ['kingress', 'king'],
  namespaced: true,
  schema: ingressSchema,
  statusSubresource: true,
  defaults: defaultIngress,
  validate: validateIngress,
};

export type IngressSpec = Ingress['spec'];
