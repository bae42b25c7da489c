import type { ErrorCode } from '../../../errors.ts';
import type { TlsCertificate } from '../../../http/index.ts';
import type { LogFields, LogLevel } from '../../../logger.ts';
import type { FinishedSpan, Sampler } from '../../../telemetry/index.ts';
import type { RoutableIngress } from '../../router-compile.ts';
import type { AddressTarget } from '../forwarder.ts';
import type { RequestReport } from '../../request-stats.ts';
import type { RevisionKey, RevisionSettings } from '../revision.ts';
import type { Measurement } from './measurements.ts';

/** An instance that other processes can reach. */
export interface AddressedInstance {
  readonly id: string;
  readonly target: AddressTarget;
}

/** What one worker may do with the instances of a revision. */
export interface Share {
  readonly instances: readonly AddressedInstance[];
  /** Requests that this worker may have in each of them; 0 = unlimited. */
  readonly containerConcurrency: number;
  /** Who takes this worker's requests because it has no share: the internal address of another worker, or the owner's. */
  readonly through?: string;
}

/** Where a worker accepts requests from outside. */
export interface WorkerPorts {
  readonly host: string;
  readonly port: number;
  readonly tls?: {
    readonly port: number;
    /** For clients that send no server name. */
    readonly unnamed?: TlsCertificate;
  };
}

/** From the owner to a worker. Those with an `id` are answered with `done`. */
export type WorkerCommand =
  | {
      readonly type: 'start';
      readonly id: number;
      readonly listener: 'public' | 'local';
      readonly fallback?: string;
      /** Data of `config-observability`, for the request log. */
      readonly observability: Readonly<Record<string, string>>;
      /** Whether anybody wants its measurements. */
      readonly measured: boolean;
      /** Decides which spans are sent; absent: nobody wants any. */
      readonly sampler?: Sampler;
    }
  | { readonly type: 'listen'; readonly id: number; readonly ports: WorkerPorts }
  | { readonly type: 'unlisten'; readonly id: number; readonly graceMs: number }
  | { readonly type: 'observability'; readonly data: Readonly<Record<string, string>> }
  | { readonly type: 'ingress'; readonly ingress: RoutableIngress }
  | { readonly type: 'delete-ingress'; readonly key: string }
  | {
      readonly type: 'share';
      readonly id: number;
      readonly revision: RevisionKey;
      readonly settings: RevisionSettings;
      readonly share: Share;
    }
  | { readonly type: 'release'; readonly id: number; readonly revision: RevisionKey; readonly instance: string }
  | { readonly type: 'delete-revision'; readonly revision: RevisionKey }
  | { readonly type: 'report'; readonly id: number }
  | { readonly type: 'certificate'; readonly id: number; readonly certificate: TlsCertificate | undefined }
  | { readonly type: 'close'; readonly graceMs: number };

/** Requests of a worker in one instance. */
export type InstanceCount = readonly [instance: string, inFlight: number];

/** What a worker has counted since it was asked last. */
export interface WorkerReport {
  readonly revisions: readonly (readonly [RevisionKey, RequestReport])[];
  readonly loads: readonly (readonly [RevisionKey, readonly InstanceCount[]])[];
  readonly measurements: readonly Measurement[];
}

/** The answer to a command with an `id`. */
export interface WorkerDone {
  readonly type: 'done';
  readonly id: number;
  /** To `start`: where other workers and the owner reach it. */
  readonly internalPort?: number;
  /** To `listen`. */
  readonly ports?: { readonly port: number; readonly tls?: number };
  /** To `report`. */
  readonly report?: WorkerReport;
  /** The command failed. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

/** From a worker to the owner. */
export type WorkerEvent =
  | WorkerDone
  | { readonly type: 'cold-start'; readonly revision: RevisionKey }
  | { readonly type: 'cold-start-end'; readonly revision: RevisionKey }
  | { readonly type: 'cold-start-timeout'; readonly revision: RevisionKey; readonly waitedMs: number }
  | { readonly type: 'log'; readonly lines: readonly string[] }
  /** A line of the worker's own log, from `warn` on. */
  | {
      readonly type: 'diagnostic';
      readonly level: Exclude<LogLevel, 'silent'>;
      readonly fields: LogFields;
      readonly message: string;
    }
  /** Spans that have ended. */
  | { readonly type: 'spans'; readonly spans: readonly FinishedSpan[] }
  /** Asks for the certificate of a server name; answered with the command `certificate`. */
  | { readonly type: 'certificate'; readonly id: number; readonly serverName: string };

/** Header with the revision of a request that one process of the data plane passes on to another. */
export const revisionHeader = 'K-Worker-Revision';

/** Header with the scheme and address of the client of such a request. */
export const clientHeader = 'K-Worker-Client';
