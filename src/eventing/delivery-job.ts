import type { EventMessage } from '../cloudevents/event-message.ts';
import { Deadline } from './deadline-list.ts';
import type { LogDelivery } from './log.ts';
import type { DeliveryContext } from './subscriber.ts';

export interface JobOwner {
  readonly name: string;
  timedOut(job: DeliveryJob): void;
  /** Somebody holds the job's signal: it has to be aborted when the broker gives up. */
  abortable(job: DeliveryJob): void;
}

/** One event on its way to one trigger's subscriber, over all tries: the only object that a delivery costs. */
export class DeliveryJob extends Deadline implements DeliveryContext {
  readonly delivery: LogDelivery;
  readonly owner: JobOwner;
  /** Tries begun. */
  attempt = 0;
  /** Partition of an ordered trigger; `undefined` outside of any lane. */
  partition: string | undefined;
  /** A try of it has not answered yet. */
  running = false;
  #controller: AbortController | undefined;

  constructor(owner: JobOwner, delivery: LogDelivery) {
    super();
    this.owner = owner;
    this.delivery = delivery;
  }

  get event(): EventMessage {
    return this.delivery.event;
  }

  get position(): number {
    return this.delivery.position;
  }

  get trigger(): string {
    return this.owner.name;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.owner.abortable(this);
    }
    return this.#controller.signal;
  }

  /** Begins a try; returns its number, by which a late answer of an earlier one is told apart. */
  begin(): number {
    this.#controller = undefined;
    return ++this.attempt;
  }

  abort(reason: Error): void {
    this.#controller?.abort(reason);
  }

  expired(): void {
    this.owner.timedOut(this);
  }
}
