import type { Clock } from '../../../clock.ts';
import type { TlsCertificate } from '../../../http/index.ts';
import type { Logger } from '../../../logger.ts';
import type { RemoteSpans } from '../../../telemetry/index.ts';
import type { Meter } from '../../../telemetry/meter.ts';
import type { RoutableIngress } from '../../router-compile.ts';
import type { RequestReport } from '../../request-stats.ts';
import type { InstanceLoad } from '../activator.ts';
import type { RevisionKey, RevisionSettings } from '../revision.ts';
import type { AddressedInstance } from './messages.ts';

export interface DataPlaneWorkersOptions {
  /** Processes; at least 1. */
  readonly workers: number;
  /** `public`: cluster-local hosts do not exist here. Default `local`. */
  readonly listener?: 'public' | 'local';
  /** `host:port` of a server that answers hosts which no route has, the owner's own; default: they are answered 404. */
  readonly fallback?: string;
  /** Called when a request finds no instance of a revision in some worker. */
  readonly onColdStart?: (revision: RevisionKey) => void;
  /** Called when such a request is answered. */
  readonly onColdStartEnd?: (revision: RevisionKey) => void;
  /** Called when the cold-start budget of a request has run out in some worker. */
  readonly onColdStartTimeout?: (revision: RevisionKey, waitedMs: number) => void;
  /** The certificate for a server name, asked at each handshake of any worker. */
  readonly certificateFor?: (serverName: string) => TlsCertificate | undefined;
  /** Gets what all workers measure, added up, with each `reports()`. Default: nothing is measured. */
  readonly meter?: Meter;
  /** Gets the spans of workers, a few milliseconds after their end; `Tracer.remote`. Default: there are none. */
  readonly spans?: RemoteSpans;
  /** Gets the lines of request logs; see `setObservability`. */
  readonly onRequestLog?: (line: string) => void;
  readonly clock?: Clock;
  /** Gets warnings and errors of workers too, with the field `worker`. */
  readonly logger?: Logger;
  /** The program of a worker; default: the one that comes with the package. */
  readonly entry?: URL;
}

export interface DataPlaneListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: the system chooses, the same for all. */
  readonly port?: number;
  /** A second port for HTTPS, by `certificateFor`. */
  readonly tls?: {
    /** Default 0: the system chooses. */
    readonly port?: number;
    /** For clients that send no server name; default: they are refused. */
    readonly unnamed?: TlsCertificate;
  };
}

export interface DataPlaneAddress {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly tlsPort?: number;
}

/**
 * The gateway in several processes that share a port (SO_REUSEPORT: Linux), told what to do like a router and an activator
 * in one.
 */
export interface DataPlaneWorkers extends AsyncDisposable {
  /** Starts the workers without a port of their own; `listen` does it too. Throws SERVING_WORKER_FAILED. */
  start(): Promise<void>;
  /** Opens the ports in all workers, or in none; resolves when all of them listen. Throws HTTP_ADDRESS_IN_USE, also when the port is shared by others. */
  listen(options?: DataPlaneListenOptions): Promise<DataPlaneAddress>;
  setIngress(ingress: RoutableIngress): void;
  /** Removes the Ingress `namespace/name`. */
  deleteIngress(key: string): void;
  /** The ready instances of a revision. Its hard limit holds over all workers together. Resolves when all workers know. */
  setInstances(revision: RevisionKey, instances: readonly AddressedInstance[], settings?: RevisionSettings): Promise<void>;
  /** The revision's instances live in the process that listens at `address` (`passedRequests`): requests go there. */
  setOwner(revision: RevisionKey, address: string, settings?: RevisionSettings): Promise<void>;
  deleteRevision(revision: RevisionKey): void;
  /** Gives the instance no more requests, in any worker; resolves when it has none left. */
  drain(revision: RevisionKey, instance: string): Promise<void>;
  /** Data of `config-observability`, which sets the request log. */
  setObservability(data: Readonly<Record<string, string>>): void;
  /** Internal addresses of the running workers, another one first each time. */
  addresses(): readonly string[];
  /** Statistics of all workers together since the last reports. A worker that takes longer than a second is left for the next ones. */
  reports(): Promise<ReadonlyMap<RevisionKey, RequestReport>>;
  /** Requests in the instances of a revision as of the last `reports()`, all workers together. */
  load(revision: RevisionKey): readonly InstanceLoad[];
  /** A meter for the owner's own share of the requests, whose gauges are added to the workers'. */
  readonly ownMeter: Meter;
  /** Closes the ports; running requests finish within `graceMs`. Workers still take what others pass on. */
  unlisten(graceMs?: number): Promise<void>;
  /** Running requests finish within `graceMs` (default 10 s). */
  close(graceMs?: number): Promise<void>;
}
