// A gateway on a socket with one revision behind it, and backends, for the tests of this folder.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createHttpServer, type HttpServerOptions } from '../../../src/http/index.ts';
import {
  createActivator,
  createGateway,
  type Activator,
  type ActivatorOptions,
  type GatewayMatch,
  type GatewayOptions,
} from '../../../src/serving/data-plane/index.ts';

export const revision = 'default/hello-00001';

/** A router that sends every host to one revision. */
export function toRevision(name = 'hello-00001', appendHeaders: readonly string[] = []): { match: () => GatewayMatch } {
  const match: GatewayMatch = {
    namespace: 'default',
    serviceName: name,
    servicePort: 80,
    revision: name,
    httpOption: 'Enabled',
    rewriteHost: undefined,
    appendHeaders: ['Knative-Serving-Namespace', 'default', 'Knative-Serving-Revision', name, ...appendHeaders],
  };
  return { match: () => match };
}

export interface Front {
  readonly activator: Activator;
  readonly port: number;
  readonly url: string;
}

export interface FrontOptions {
  readonly activator?: ActivatorOptions;
  readonly gateway?: Partial<GatewayOptions>;
  readonly server?: Partial<HttpServerOptions>;
}

export async function openFront(options: FrontOptions = {}): Promise<Front> {
  const activator = createActivator(options.activator ?? {});
  const handler = createGateway({ router: toRevision(), activator, ...options.gateway });
  const server = createHttpServer({ handler, ...options.server });
  const { port, url } = await server.listen();
  onTestFinished(async () => {
    await server.close(0);
    await activator.close();
  });
  return { activator, port, url };
}

/** A node:http server; tells its address. */
export async function openBackend(
  listener: RequestListener,
  configure: (server: Server) => void = () => undefined,
): Promise<string> {
  const server = createServer(listener);
  configure(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
