import type { RoutableIngress } from '../../router-compile.ts';
import type { AddressTarget } from '../forwarder.ts';
import type { RequestReport } from '../../request-stats.ts';
import type { RevisionKey, RevisionSettings } from '../revision.ts';

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
  /** The worker that takes this one's requests because it has no share: its internal address. */
  readonly through?: string;
}

/** From the owner to a worker. */
export type WorkerCommand =
  | {
      readonly type: 'listen';
      readonly host: string;
      readonly port: number;
      readonly listener: 'public' | 'local';
      readonly fallback?: string;
    }
  | { readonly type: 'ingress'; readonly ingress: RoutableIngress }
  | { readonly type: 'delete-ingress'; readonly key: string }
  | { readonly type: 'share'; readonly revision: RevisionKey; readonly settings: RevisionSettings; readonly share: Share }
  | { readonly type: 'release'; readonly revision: RevisionKey; readonly instance: string; readonly id: number }
  | { readonly type: 'delete-revision'; readonly revision: RevisionKey }
  | { readonly type: 'report'; readonly id: number }
  | { readonly type: 'close'; readonly graceMs: number };

/** From a worker to the owner. */
export type WorkerEvent =
  | { readonly type: 'listening'; readonly port: number; readonly internalPort: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'cold-start'; readonly revision: RevisionKey }
  | { readonly type: 'done'; readonly id: number; readonly reports?: readonly (readonly [RevisionKey, RequestReport])[] };
