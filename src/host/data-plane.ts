import { realClock, type Clock } from '../clock.ts';
import { KnativeError } from '../errors.ts';
import { createHttpServer, type Handler } from '../http/index.ts';
import type { Logger } from '../logger.ts';
import type { Random } from '../random.ts';
import {
  createActivator,
  createDataPlaneWorkers,
  createRequestLogs,
  createRouter,
  createSharedActivator,
  passedRequests,
  type Activator,
  type ActivatorOptions,
  type DataPlaneWorkers,
  type Router,
} from '../serving/index.ts';
import type { Tracer } from '../telemetry/index.ts';
import { noopMeter, type Meter } from '../telemetry/meter.ts';
import type { Certificates } from './certificates.ts';
import type { HostOptions, ListenAddress, ListenOptions, TlsListenOptions } from './host-types.ts';
import { openPorts, type OpenPort } from './open-ports.ts';

export interface DataPlaneOptions extends Required<
  Pick<ActivatorOptions, 'onColdStart' | 'onColdStartEnd' | 'onColdStartTimeout'>
> {
  /** Processes that take requests; 1: this one. */
  readonly workers: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracer: Tracer | undefined;
  readonly config: (name: string) => Readonly<Record<string, string>>;
  readonly onRequestLog: (line: string) => void;
  readonly certificates: Certificates;
  /** The entrance for requests from outside. */
  readonly entrance: Handler;
}

/** The way of requests through the host, in this process or in several. */
export interface DataPlane {
  /** Finds the revision of requests that begin in this process. */
  readonly router: Router;
  /** Where routes are told to all. */
  readonly routes: Pick<Router, 'set' | 'delete'>;
  readonly activator: Activator;
  /** The activator of this process alone, for what only it knows. */
  readonly ownActivator: Activator;
  /** Fetches statistics of other processes before they are read. */
  readonly collect: (() => Promise<void>) | undefined;
  /** Opens the ports for requests from outside, all or none. */
  listen(options: ListenOptions): Promise<{ readonly opened: readonly OpenPort[]; readonly address: ListenAddress }>;
  /** A system config map has changed. */
  configChanged(name: string): void;
  close(): Promise<void>;
}

/** What a host with workers cannot have; throws HOST_OPTION_INVALID. */
export function checkWorkers({ workers = 1, clock = realClock, transport, tracer }: HostOptions): void {
  const refuse = (message: string, hint: string): never => {
    throw new KnativeError('HOST_OPTION_INVALID', message, { path: 'workers', hint });
  };
  if (!Number.isInteger(workers) || workers < 1)
    refuse(`workers must be a whole number of at least 1, got ${workers}`, 'leave it out for 1');
  if (workers === 1) return;
  if (clock !== realClock) refuse('workers are processes, which no virtual clock reaches', 'leave workers out on virtual time');
  if (transport === 'memory') refuse('workers share a port, and `transport: memory` has none', 'leave one of the two out');
  if (tracer !== undefined && tracer.remote === undefined)
    refuse(
      'workers are processes, which this tracer cannot follow',
      'use `createTracer({ export })`, or leave one of the two out',
    );
}

export async function createDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  return options.workers === 1 ? inThisProcess(options) : inWorkers(options);
}

function activatorOptions(options: DataPlaneOptions, meter: Meter): ActivatorOptions {
  const { clock, random, logger, config, onRequestLog: write, onColdStart, onColdStartEnd, onColdStartTimeout } = options;
  const requestLog = createRequestLogs({ config, write, logger });
  return { clock, random, logger, meter, onColdStart, onColdStartEnd, onColdStartTimeout, requestLog };
}

function inThisProcess(options: DataPlaneOptions): DataPlane {
  const { random, certificates, clock, logger, entrance: handler } = options;
  const router = createRouter([], { random });
  const activator = createActivator(activatorOptions(options, options.meter));
  return {
    router,
    routes: router,
    activator,
    ownActivator: activator,
    collect: undefined,
    listen: (listenOptions) => openPorts(listenOptions, { handler, certificates, clock, logger }),
    configChanged: () => undefined,
    close: () => activator.close(),
  };
}

async function inWorkers(options: DataPlaneOptions): Promise<DataPlane> {
  const { random, certificates, logger, config, entrance, meter, tracer } = options;
  // What begins here and what workers pass on meet at this server, which knows the activator only once there is one.
  let passed: Handler = () => undefined;
  const internal = createHttpServer({ handler: (exchange) => passed(exchange), logger });
  const { port } = await internal.listen();
  const ownerAddress = `127.0.0.1:${port}`;
  let tls: TlsListenOptions | undefined;
  const pool: DataPlaneWorkers = createDataPlaneWorkers({
    workers: options.workers,
    listener: 'public',
    fallback: ownerAddress,
    logger,
    ...(meter === noopMeter ? {} : { meter }),
    ...(tracer?.remote === undefined ? {} : { spans: tracer.remote }),
    onColdStart: options.onColdStart,
    onColdStartEnd: options.onColdStartEnd,
    onColdStartTimeout: options.onColdStartTimeout,
    onRequestLog: options.onRequestLog,
    certificateFor: (name) => tls?.certificateFor?.(name) ?? certificates.certificateFor(name) ?? tls?.certificate,
  });
  const activator = createSharedActivator({ activator: activatorOptions(options, pool.ownMeter), workers: pool, ownerAddress });
  passed = passedRequests(activator.local, entrance);
  try {
    await pool.start();
  } catch (error) {
    await activator.close();
    await internal.close(0);
    throw error;
  }
  const router = createRouter([], { random });
  return {
    router,
    routes: {
      set(ingress) {
        router.set(ingress);
        pool.setIngress(ingress);
      },
      delete(key) {
        pool.deleteIngress(key);
        return router.delete(key);
      },
    },
    activator,
    ownActivator: activator.local,
    collect: () => activator.collect(),
    async listen({ port: wanted = 8080, host = '127.0.0.1', tls: wantedTls }) {
      tls = wantedTls;
      const unnamed = tls?.certificateFor?.('') ?? tls?.certificate;
      const address = await pool.listen({
        host,
        port: wanted,
        ...(tls === undefined ? {} : { tls: { port: tls.port ?? 8443, ...(unnamed === undefined ? {} : { unnamed }) } }),
      });
      const { tlsPort } = address;
      return {
        opened: [{ close: (graceMs) => pool.unlisten(graceMs) }],
        address: {
          host,
          port: address.port,
          url: address.url,
          ...(tlsPort === undefined ? {} : { tls: { host, port: tlsPort, url: `https://${host}:${tlsPort}` } }),
        },
      };
    },
    configChanged(name) {
      if (name === 'config-observability') pool.setObservability(config(name));
    },
    async close() {
      await activator.close();
      await internal.close(0);
    },
  };
}
