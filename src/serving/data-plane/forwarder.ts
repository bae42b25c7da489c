import type { Clock } from '../../clock.ts';
import type { KnativeError } from '../../errors.ts';
import { createUpstream, type Exchange } from '../../http/index.ts';
import type { InstanceTarget } from './revision.ts';

/** An instance that is reached over a socket. */
export type AddressTarget = Extract<InstanceTarget, { readonly address: string }>;

/** Sends requests to instances by address. */
export interface Forwarder {
  /**
   * Answers the exchange with what the instance says, 502 when it breaks off. Calls `unseen` instead when the request may go
   * elsewhere: HTTP_UNREACHABLE, the instance could not be reached and has seen nothing; HTTP_CONNECTION_LOST, it broke off before
   * its answer, and repeating the request is safe.
   */
  forward(exchange: Exchange, target: AddressTarget, unseen: (error: KnativeError) => void): void;
  close(): Promise<void> | void;
}

/** The real one, on pooled connections. */
export function createForwarder(options: { readonly clock?: Clock } = {}): Forwarder {
  const upstream = createUpstream(options);
  return {
    forward: (exchange, target, unseen) => upstream.forward(exchange, target.address, unseen, target.protocol),
    close: () => upstream.close(),
  };
}
