import type { Handler } from '../../http/index.ts';
import type { PickingPolicy } from './instance-picking.ts';
import type { RequestTimeouts } from './timeouts.ts';

/** Where the requests of an instance go: over a socket, or straight to a handler of this process. */
export type InstanceTarget =
  | {
      /** `host:port`. */
      readonly address: string;
      /** Default `http1`; `h2c` for ports of that name; `auto` by the protocol that each request came with, as upstream's queue-proxy does. */
      readonly protocol?: 'http1' | 'h2c' | 'auto';
    }
  | { readonly handler: Handler };

/** One ready instance of a revision. */
export interface Instance {
  /** Unique within the revision: the Pod's name. */
  readonly id: string;
  readonly target: InstanceTarget;
}

/** How a revision's requests are treated. */
export interface RevisionSettings {
  /** Hard limit of requests in one instance; default 0 = unlimited. */
  readonly containerConcurrency?: number;
  readonly timeouts?: RequestTimeouts;
  /**
   * Budget for a request that waits for the first instance, milliseconds. When set, the request's other limits begin once it
   * reaches an instance; default: they count from its arrival, as upstream's do.
   */
  readonly coldStartTimeoutMs?: number;
  /** Requests that may wait for an instance; default 100,000. More are answered 503. */
  readonly queueDepth?: number;
  /** Default: upstream's choice by containerConcurrency. */
  readonly picking?: PickingPolicy;
  /** Sends a client to the instance that it had before, by cookie; default false. */
  readonly sessionAffinity?: boolean;
  /** Labels of the revision for metrics and logs. */
  readonly labels?: RevisionLabels;
}

export interface RevisionLabels {
  readonly service?: string;
  readonly configuration?: string;
}

/** `namespace/name` of a revision. */
export type RevisionKey = string;
