import type { EventMessage } from '../cloudevents/event-message.ts';
import type { Exchange } from '../http/exchange.ts';
import type { DeliveryJob } from './delivery-job.ts';
import type { ParkReason } from './log.ts';

/** A try to send, watched. */
export interface ObservedSend {
  /** Headers that go along: the trace. */
  readonly rawHeaders: readonly string[];
  /** `status` is `undefined` when nothing came back. */
  end(status: number | undefined, error: Uint8Array | string | undefined): void;
}

/** Watches what is sent over HTTP on behalf of one hop. */
export interface SendObserver {
  start(url: string, event: EventMessage, bodyBytes: number): ObservedSend;
}

/** One request to an ingress or filter, watched. */
export interface ObservedHop {
  /** The event is known, and the broker or trigger that it is for. */
  event(event: EventMessage, namespace: string, name: string): void;
  /** The request's headers with the trace of this hop, to keep with the event. */
  travelling(rawHeaders: readonly string[]): readonly string[];
  readonly sends: SendObserver;
  end(status: number, bodyBytes: number): void;
}

/** Watches the requests of an ingress or filter. */
export interface HopObserver {
  begin(exchange: Exchange): ObservedHop;
}

/** Watches the deliveries of one broker. */
export interface DeliveryObserver {
  /** A try of a function begins. */
  begin(job: DeliveryJob): void;
  /** A try over HTTP begins: what watches the request. */
  sends(job: DeliveryJob): SendObserver | undefined;
  /** A try has ended. */
  end(job: DeliveryJob, status: number, error: unknown): void;
  deadLetter(job: DeliveryJob, status: number): void;
  parked(job: DeliveryJob, reason: ParkReason): void;
}
