import { resourceFields } from '../../api/core/metadata.ts';
import type { Kind } from '../../api/kind.ts';
import { any, array, int32, map, object, present, string, type TypeOf } from '../../api/schema.ts';
import { labelSelector } from '../../api/core/metadata.ts';

/** The kinds of the Kubernetes Gateway API that an Ingress becomes, as far as it uses them. */

const headerValue = object({ name: present(string), value: present(string) });
const filter = object({
  type: present(string),
  requestHeaderModifier: object({ set: array(headerValue) }),
  urlRewrite: object({ hostname: string }),
});
const backendRef = object({
  group: string,
  kind: string,
  name: present(string),
  namespace: string,
  port: int32,
  weight: int32,
  filters: array(filter),
});
const routeMatch = object({
  path: object({ type: string, value: string }),
  headers: array(object({ type: string, name: present(string), value: present(string) })),
});
const routeRule = object({
  matches: array(routeMatch),
  filters: array(filter),
  backendRefs: array(backendRef),
  timeouts: object({ request: string, backendRequest: string }),
});
export type HttpRouteFilter = TypeOf<typeof filter>;
export type HttpBackendRef = TypeOf<typeof backendRef>;
export type HttpRouteRule = TypeOf<typeof routeRule>;

const routeCondition = object({ type: string, status: string, reason: string, message: string, observedGeneration: int32 });

const httpRouteSchema = object({
  ...resourceFields,
  spec: present(
    object({
      parentRefs: array(object({ group: string, kind: string, namespace: string, name: present(string), sectionName: string })),
      hostnames: array(string),
      rules: array(routeRule),
    }),
  ),
  status: object({ parents: array(object({ parentRef: any, controllerName: string, conditions: array(routeCondition) })) }),
});
export type HttpRoute = TypeOf<typeof httpRouteSchema>;

export const httpRoutes: Kind<HttpRoute> = {
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  kind: 'HTTPRoute',
  plural: 'httproutes',
  singular: 'httproute',
  namespaced: true,
  schema: httpRouteSchema,
  statusSubresource: true,
};

const referenceGrantSchema = object({
  ...resourceFields,
  spec: present(
    object({
      from: array(object({ group: string, kind: string, namespace: string })),
      to: array(object({ group: string, kind: string, name: string })),
    }),
  ),
});
export type ReferenceGrant = TypeOf<typeof referenceGrantSchema>;

export const referenceGrants: Kind<ReferenceGrant> = {
  group: 'gateway.networking.k8s.io',
  version: 'v1beta1',
  kind: 'ReferenceGrant',
  plural: 'referencegrants',
  singular: 'referencegrant',
  namespaced: true,
  schema: referenceGrantSchema,
  statusSubresource: false,
};

const listener = object({
  name: present(string),
  hostname: string,
  port: int32,
  protocol: string,
  tls: object({
    mode: string,
    certificateRefs: array(object({ group: string, kind: string, name: present(string), namespace: string })),
    options: map(string),
  }),
  allowedRoutes: object({
    namespaces: object({ from: string, selector: labelSelector }),
    kinds: array(object({ group: string, kind: string })),
  }),
});
export type Listener = TypeOf<typeof listener>;

const gatewaySchema = object({
  ...resourceFields,
  spec: present(object({ gatewayClassName: string, listeners: array(listener), addresses: array(any) })),
  status: object({
    addresses: array(object({ type: string, value: present(string) })),
    conditions: array(any),
    listeners: array(any),
  }),
});
export type Gateway = TypeOf<typeof gatewaySchema>;

export const gateways: Kind<Gateway> = {
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  kind: 'Gateway',
  plural: 'gateways',
  singular: 'gateway',
  namespaced: true,
  schema: gatewaySchema,
  statusSubresource: true,
};
