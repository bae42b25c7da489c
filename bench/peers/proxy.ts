// One proxy (or server) under test: `node proxy.ts KIND BACKEND_PORT`. Prints its port.
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createProxyServer } from 'http-proxy-3';
import { Pool } from 'undici';
import { createHttpServer, type Handler } from '../../src/http/index.ts';
import { createActivator, createGateway, type GatewayMatch } from '../../src/serving/data-plane/index.ts';
import { createRouter } from '../../src/serving/router.ts';

const [, , kind = '', backendPort = ''] = process.argv;
const backend = `127.0.0.1:${backendPort}`;
const hosts = Number(process.argv[4] ?? 1);

const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'proxy-connection']);

function withoutHops(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2)
    if (!hopByHop.has((raw[i] ?? '').toLowerCase())) kept.push(raw[i] ?? '', raw[i + 1] ?? '');
  return kept;
}

/** The measured peer: undici's dispatch with a handler object, head and body of the answer in one write. */
function undiciProxy(): void {
  const pool = new Pool(`http://${backend}`, { connections: 64 });
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let headers: string[] = [];
    const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    pool.dispatch(
      {
        path: request.url ?? '/',
        method: request.method ?? 'GET',
        headers: withoutHops(request.rawHeaders),
        body: hasBody ? request : null,
      },
      {
        onRequestStart: () => undefined,
        onResponseStart(controller, code) {
          status = code;
          headers = withoutHops(((controller.rawHeaders ?? []) as Buffer[]).map(String));
        },
        onResponseData: (_, chunk) => void chunks.push(chunk),
        onResponseEnd() {
          response.writeHead(status, headers);
          response.end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
        },
        onResponseError(_, error) {
          response.writeHead(502);
          response.end(error.message);
        },
      },
    );
  });
  listen(server);
}

function httpProxy3(): void {
  const proxy = createProxyServer({ target: `http://${backend}`, agent: new Agent({ keepAlive: true, maxSockets: 64 }) });
  listen(createServer((request, response) => void proxy.web(request, response)));
}

/** Routes as the Route reconciler's Ingresses have them; all lead to the one backend. */
function routerOf(count: number): ReturnType<typeof createRouter> {
  const ingress = (i: number): Parameters<ReturnType<typeof createRouter>['set']>[0] => ({
    metadata: { name: `hello-${i}`, namespace: 'default', generation: 1 },
    spec: {
      rules: [
        {
          hosts: [`hello-${i}.default.example.com`],
          visibility: 'ExternalIP',
          http: {
            paths: [
              {
                splits: [
                  {
                    serviceNamespace: 'default',
                    serviceName: `hello-${i}-00001`,
                    servicePort: 80,
                    percent: 100,
                    appendHeaders: { 'Knative-Serving-Namespace': 'default', 'Knative-Serving-Revision': `hello-${i}-00001` },
                  },
                ],
              },
            ],
          },
        },
      ],
    },
  });
  return createRouter(Array.from({ length: count }, (_, i) => ingress(i)));
}

/** The same as `bareHttp` answers. */
const hello: Handler = (exchange) => exchange.respond(200, ['content-type', 'text/plain'], 'hello world!');

/** Holds upgraded connections open. */
const holding: Handler = (exchange) => {
  const tunnel = exchange.acceptUpgrade?.(['connection', 'upgrade', 'upgrade', exchange.upgrade ?? '']);
  tunnel?.receive({ data: () => true, end: () => undefined, error: () => undefined });
};

/** `inProcess`: the function that answers for a host instead of the backend. */
async function gateway(inProcess: (host: number) => Handler | undefined, containerConcurrency = 100): Promise<void> {
  const activator = createActivator();
  const router = routerOf(hosts);
  for (let i = 0; i < hosts; i++) {
    const handler = inProcess(i);
    activator.setInstances(
      `default/hello-${i}-00001`,
      [
        {
          id: 'a',
          target: handler === undefined ? { address: backend } : { handler },
        },
      ],
      { containerConcurrency },
    );
  }
  const server = createHttpServer({
    handler: createGateway({ router: router as { match(request: unknown): GatewayMatch | undefined }, activator }),
  });
  const { port } = await server.listen();
  console.log(port);
}

function bareHttp(): void {
  listen(
    createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 12 });
      response.end('hello world!');
    }),
  );
}

function listen(server: ReturnType<typeof createServer>): void {
  server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
}

if (kind === 'undici') undiciProxy();
else if (kind === 'http-proxy-3') httpProxy3();
else if (kind === 'gateway') await gateway(() => undefined);
// The second host is a function in the gateway's process.
else if (kind === 'gateway-open') await gateway((host) => (host === 1 ? holding : undefined), 0);
else if (kind === 'function') await gateway(() => hello);
else if (kind === 'bare') bareHttp();
else if (kind === 'exchange') {
  const server = createHttpServer({ handler: hello });
  console.log((await server.listen()).port);
} else throw new Error(`unknown kind ${kind}`);
