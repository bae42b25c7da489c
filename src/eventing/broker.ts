import { admitEvent, type DeliveryFailure } from '../cloudevents/delivery-rules.ts';
import { toEventMessage, type EventLike, type EventMessage } from '../cloudevents/index.ts';
import { realClock, type Clock } from '../clock.ts';
import { KnativeError } from '../errors.ts';
import type { HttpClient } from '../http/exchange.ts';
import { silentLogger, type Logger } from '../logger.ts';
import type { FilterSpec } from './filters/compile-filter.ts';
import { wireForm } from './filters/wire-form.ts';
import type { EventLog } from './log.ts';
import { memoryLog } from './logs/memory.ts';
import { createMatcher, type TriggerExplanation } from './matcher.ts';
import { TriggerDispatcher, type TriggerOptions } from './trigger-dispatcher.ts';

export interface BrokerOptions {
  /** Where events are kept; default a memory log, which loses them with the process. */
  readonly log?: EventLog;
  /** Sends to subscribers that are URLs. Without one only functions can subscribe. */
  readonly client?: HttpClient;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Headers that go along with every delivery, names and values in turn. */
  readonly rawHeaders?: readonly string[];
  /** Hops that an event may make through brokers; default 255. */
  readonly ttlMax?: number;
  /** Called for an event that nobody took: no dead letter sink, or that failed too. */
  readonly onLost?: (trigger: string, event: EventMessage, failure: DeliveryFailure) => void;
}

export interface PublishResult {
  /** Names of the triggers that get the event. */
  readonly triggers: readonly string[];
}

/** Takes events in and delivers each to the triggers whose filters it meets. */
export interface Broker extends AsyncDisposable {
  /** Adds a trigger or replaces the one of that name; events that it has not got yet stay its own. */
  addTrigger(name: string, options: FilterSpec & TriggerOptions): void;
  removeTrigger(name: string): void;
  readonly triggers: readonly string[];
  /** Resolves once the event is as durable as the log makes it. Throws EVENTING_TTL_EXHAUSTED (400) for an event that went in circles. */
  publish(event: EventLike): Promise<PublishResult>;
  /** Who would get the event and why, without publishing it. */
  explain(event: EventLike): readonly TriggerExplanation[];
  /** Events that a trigger has not acknowledged. */
  backlog(trigger: string): number;
  /** Stops taking events, waits up to `graceMs` (default 10 s) for deliveries under way, closes the log. */
  close(graceMs?: number): Promise<void>;
}

const noClient: HttpClient = {
  request: () =>
    Promise.reject(
      new KnativeError('EVENTING_NO_CLIENT', 'the broker has no HTTP client', {
        hint: 'give createBroker a `client` to deliver to URLs',
      }),
    ),
  close: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

export function createBroker(options: BrokerOptions = {}): Broker {
  const clock = options.clock ?? realClock;
  const logger = options.logger ?? silentLogger;
  const log = options.log ?? memoryLog({ clock });
  const matcher = createMatcher();
  const dispatchers = new Map<string, TriggerDispatcher>();
  let closed: Promise<void> | undefined;

  async function publish(like: EventLike): Promise<PublishResult> {
    if (closed !== undefined) throw new KnativeError('EVENTING_BROKER_CLOSED', 'the broker is closed', { status: 503 });
    const event = admitEvent(toEventMessage(like), new Date(clock.now()).toISOString(), options.ttlMax);
    if (event === undefined) {
      throw new KnativeError('EVENTING_TTL_EXHAUSTED', 'the event has been through too many brokers', {
        status: 400,
        path: 'knativebrokerttl',
        hint: 'a trigger answers an event with one that reaches the trigger again: narrow its filter',
      });
    }
    const triggers = matcher.match(wireForm(event)).ids();
    if (triggers.length > 0) await log.append([{ event, triggers }]);
    return { triggers };
  }

  async function close(graceMs: number): Promise<void> {
    await Promise.all([...dispatchers.values()].map((dispatcher) => dispatcher.close(graceMs)));
    await log.close();
  }

  const broker: Broker = {
    addTrigger(name, trigger) {
      const dispatcherOf = (): TriggerDispatcher =>
        new TriggerDispatcher(name, trigger, {
          log,
          client: options.client ?? noClient,
          clock,
          logger,
          reply: async (event) => void (await publish(event)),
          rawHeaders: options.rawHeaders ?? [],
          onLost: options.onLost ?? (() => undefined),
        });
      matcher.set(name, trigger);
      void dispatchers.get(name)?.close(10_000);
      dispatchers.set(name, dispatcherOf());
    },
    removeTrigger(name) {
      matcher.delete(name);
      void dispatchers.get(name)?.close(0);
      dispatchers.delete(name);
      log.remove(name);
    },
    get triggers() {
      return [...dispatchers.keys()];
    },
    publish,
    explain: (event) => matcher.match(wireForm(toEventMessage(event)), { explain: true }),
    backlog: (trigger) => log.backlog(trigger),
    close: (graceMs = 10_000) => (closed ??= close(graceMs)),
    [Symbol.asyncDispose]: () => broker.close(),
  };
  return broker;
}
