import type { Clock } from '../../clock.ts';
import type { EventMessage } from '../../cloudevents/event-message.ts';
import { realClock } from '../../clock.ts';
import type { EventLog, LogDelivery } from '../log.ts';

interface Waiting {
  readonly event: EventMessage;
  attempt: number;
}

interface Queue {
  readonly waiting: Waiting[];
  unacknowledged: number;
  deliver: ((delivery: LogDelivery) => void) | undefined;
}

/** Keeps events in memory: nothing survives the process. What it holds is bounded by its users (the broker's own limits). */
export function memoryLog(options: { readonly clock?: Clock } = {}): EventLog {
  const clock = options.clock ?? realClock;
  const queues = new Map<string, Queue>();
  let closed = false;

  const queueOf = (trigger: string): Queue => {
    let queue = queues.get(trigger);
    if (queue === undefined) queues.set(trigger, (queue = { waiting: [], unacknowledged: 0, deliver: undefined }));
    return queue;
  };

  function hand(queue: Queue, item: Waiting): void {
    if (queue.deliver === undefined || closed) {
      queue.waiting.push(item);
      return;
    }
    let open = true;
    const once = (then: () => void) => (): void => {
      if (!open) return;
      open = false;
      then();
    };
    queue.deliver({
      event: item.event,
      attempt: item.attempt,
      ack: once(() => queue.unacknowledged--),
      nack: (delayMs) =>
        once(() => {
          item.attempt++;
          clock.setTimer(delayMs, () => hand(queue, item));
        })(),
    });
  }

  const log: EventLog = {
    capabilities: new Set(['ack-single'] as const),
    append(batch) {
      for (const { event, triggers } of batch) {
        for (const trigger of triggers) {
          const queue = queueOf(trigger);
          queue.unacknowledged++;
          hand(queue, { event, attempt: 1 });
        }
      }
      return Promise.resolve();
    },
    consume(trigger, deliver) {
      const queue = queueOf(trigger);
      queue.deliver = deliver;
      for (const item of queue.waiting.splice(0)) hand(queue, item);
      return {
        [Symbol.dispose]() {
          if (queue.deliver === deliver) queue.deliver = undefined;
        },
      };
    },
    remove: (trigger) => void queues.delete(trigger),
    backlog: (trigger) => queues.get(trigger)?.unacknowledged ?? 0,
    close() {
      closed = true;
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => log.close(),
  };
  return log;
}
