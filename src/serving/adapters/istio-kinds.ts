import { resourceFields } from '../../api/core/metadata.ts';
import type { Kind } from '../../api/kind.ts';
import { array, boolean, int32, map, object, present, string, type TypeOf } from '../../api/schema.ts';

/** The kinds of Istio that an Ingress becomes, as far as it uses them. */

const stringMatch = object({ exact: string, prefix: string, regex: string });
const headers = object({ request: object({ set: map(string) }) });
const httpMatch = object({
  authority: stringMatch,
  uri: stringMatch,
  headers: map(stringMatch),
  gateways: array(string),
});
const httpRoute = object({
  match: array(httpMatch),
  route: array(
    object({
      destination: object({ host: present(string), port: object({ number: int32 }) }),
      weight: int32,
      headers,
    }),
  ),
  rewrite: object({ authority: string, uri: string }),
  headers,
  retries: object({ attempts: int32 }),
});
export type IstioHttpMatch = TypeOf<typeof httpMatch>;
export type IstioHttpRoute = TypeOf<typeof httpRoute>;

const virtualServiceSchema = object({
  ...resourceFields,
  spec: present(object({ hosts: array(string), gateways: array(string), http: array(httpRoute) })),
});
export type VirtualService = TypeOf<typeof virtualServiceSchema>;

export const virtualServices: Kind<VirtualService> = {
  group: 'networking.istio.io',
  version: 'v1beta1',
  kind: 'VirtualService',
  plural: 'virtualservices',
  singular: 'virtualservice',
  namespaced: true,
  schema: virtualServiceSchema,
  statusSubresource: true,
};

const server = object({
  hosts: array(string),
  port: object({ name: string, number: int32, protocol: string }),
  tls: object({ mode: string, credentialName: string, httpsRedirect: boolean }),
});
export type IstioServer = TypeOf<typeof server>;

const istioGatewaySchema = object({
  ...resourceFields,
  spec: present(object({ selector: map(string), servers: array(server) })),
});
export type IstioGateway = TypeOf<typeof istioGatewaySchema>;

export const istioGateways: Kind<IstioGateway> = {
  group: 'networking.istio.io',
  version: 'v1beta1',
  kind: 'Gateway',
  plural: 'gateways',
  singular: 'gateway',
  namespaced: true,
  schema: istioGatewaySchema,
  statusSubresource: true,
};
