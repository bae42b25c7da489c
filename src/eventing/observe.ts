import type { EventMessage } from '../cloudevents/event-message.ts';
import type { Clock } from '../clock.ts';
import type { Meter, Tracer } from '../telemetry/index.ts';
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
  start(url: string, event: EventMessage): ObservedSend;
}

/** Watches the deliveries of one trigger. */
export interface DeliveryObserver {
  /** A try of a function begins. */
  begin(job: DeliveryJob): void;
  /** For tries over HTTP: watches the request. */
  sends(job: DeliveryJob): SendObserver | undefined;
  /** A try has ended. */
  end(job: DeliveryJob, status: number, error: unknown): void;
  deadLetter(job: DeliveryJob, status: number): void;
  parked(job: DeliveryJob, reason: ParkReason): void;
}

/** The observer of a broker's deliveries; `undefined` when nobody watches, so that deliveries pay nothing. */
export function observeDeliveries(
  options: { readonly meter?: Meter; readonly tracer?: Tracer },
  clock: Clock,
  history: DeliveryObserver | undefined,
): DeliveryObserver | undefined {
  void options;
  void clock;
  return history;
}
