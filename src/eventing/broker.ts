import { arrivalTimeAttribute, defaultTtl, nextTtl, ttlAttribute } from '../cloudevents/delivery-rules.ts';
import { EventMessage, toEventMessage, type AttributeValue, type EventLike } from '../cloudevents/index.ts';
import { realClock, type Clock } from '../clock.ts';
import { KnativeError } from '../errors.ts';
import { createHttpClient } from '../http/index.ts';
import type { HttpClient } from '../http/exchange.ts';
import { silentLogger } from '../logger.ts';
import { redriveParked, replayStored, statusOf } from './broker-operations.ts';
import type {
  Broker,
  BrokerOptions,
  BrokerStatus,
  PublishOptions,
  PublishResult,
  RedriveRequest,
  ReplayReport,
  ReplayRequest,
} from './broker-types.ts';
import { companionHeaders, traceBeside, travellingHeaders, ttlBeside } from './companion-headers.ts';
import type { DeliveryJob } from './delivery-job.ts';
import { EventHistory, type EventRecord } from './event-history.ts';
import { compileFilter, type Filter, type FilterSpec } from './filters/compile-filter.ts';
import { wireForm } from './filters/wire-form.ts';
import type { EventLog, LogTrigger, ParkedEvent } from './log.ts';
import { memoryLog } from './logs/memory.ts';
import { createMatcher, type TriggerExplanation } from './matcher.ts';
import { SeenEvents } from './seen-events.ts';
import { observeTriggers } from './telemetry.ts';
import type { TriggerOptions } from './subscriber.ts';
import { TriggerDispatcher, type DispatcherEdges } from './trigger-dispatcher.ts';

/** Opens the log and starts a broker on it. Rejects as `EventLog.open` does. */
export async function createBroker(options: BrokerOptions = {}): Promise<Broker> {
  const clock = options.clock ?? realClock;
  const log = options.log ?? memoryLog({ clock });
  await log.open();
  const seen = options.deduplicate && new SeenEvents(clock, options.deduplicate.windowMs, options.deduplicate.eventsMax);
  if (seen !== undefined && log.read !== undefined) {
    for await (const { event, timeMs } of log.read({ fromMs: clock.now() - (options.deduplicate?.windowMs ?? 0) })) {
      seen.add(event, undefined, timeMs);
    }
  }
  return new LogBroker(options, clock, log, seen);
}

/** One trigger of a running broker. */
interface Running {
  readonly name: string;
  readonly log: LogTrigger;
  readonly dispatcher: TriggerDispatcher;
  readonly filter: Filter;
  /** What an event that only this trigger matches is appended for, and answered with: made once. */
  readonly alone: readonly LogTrigger[];
  readonly result: PublishResult;
  readonly resolved: Promise<PublishResult>;
}

const none: readonly string[] = [];
const unmatched: PublishResult = { triggers: none };
const unmatchedResolved = Promise.resolve(unmatched);

class LogBroker implements Broker {
  readonly log: EventLog;
  readonly #options: BrokerOptions;
  readonly #clock: Clock;
  readonly #seen: SeenEvents | undefined;
  readonly #history: EventHistory | undefined;
  readonly #edges: DispatcherEdges;
  readonly #ownClient: HttpClient | undefined;
  readonly #matcher = createMatcher();
  readonly #running = new Map<string, Running>();
  readonly #bySlot: (Running | undefined)[] = [];
  readonly #ttlMax: number;
  #arrivalMs = 0;
  #arrival = '';
  #closed: Promise<void> | undefined;

  constructor(options: BrokerOptions, clock: Clock, log: EventLog, seen: SeenEvents | undefined) {
    this.log = log;
    this.#options = options;
    this.#clock = clock;
    this.#seen = seen;
    this.#ttlMax = options.ttlMax ?? defaultTtl;
    const { history = false } = options;
    this.#history = history === false ? undefined : new EventHistory(clock, history === true ? {} : history);
    this.#ownClient = options.client === undefined ? createHttpClient() : undefined;
    this.#edges = {
      client: options.client ?? this.#ownClient ?? createHttpClient(),
      clock,
      logger: options.logger ?? silentLogger,
      reply: (reply, asked, rawHeaders) => this.#takeReply(reply, asked, rawHeaders),
      rawHeaders: options.rawHeaders ?? none,
      deadLetterSink: options.deadLetterSink,
      ackWaitMs: log.ackWaitMs,
      onParked: options.onParked ?? (() => undefined),
      traces: options.meter !== undefined || options.tracer !== undefined,
      observer: observeTriggers(
        {
          meter: options.meter,
          tracer: options.tracer,
          clock,
          name: options.name ?? 'broker',
          namespace: options.namespace ?? 'default',
        },
        this.#history,
      ),
    };
  }

  get triggers(): readonly string[] {
    return [...this.#running.keys()];
  }

  addTrigger(name: string, options: FilterSpec & TriggerOptions): void {
    const filter = compileFilter(options);
    const present = this.#running.get(name);
    const log = present?.log ?? this.log.trigger(name);
    present?.dispatcher.configure(options);
    const dispatcher = present?.dispatcher ?? new TriggerDispatcher(name, options, log, this.#edges);
    const slot = this.#matcher.set(name, filter);
    const result = { triggers: [name] };
    const running: Running = { name, log, dispatcher, filter, alone: [log], result, resolved: Promise.resolve(result) };
    this.#running.set(name, running);
    this.#bySlot[slot] = running;
  }

  async removeTrigger(name: string): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    this.#matcher.delete(name);
    const removed = this.log.remove(name);
    await Promise.all([removed, running?.dispatcher.close(0)]);
  }

  publish(like: EventLike, options?: PublishOptions): Promise<PublishResult> {
    try {
      const event = toEventMessage(like);
      const given = options?.rawHeaders;
      const ttl = nextTtl(event, this.#ttlMax);
      return this.#take(event, ttl, given === undefined ? none : travellingHeaders(given), undefined);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #takeReply(reply: EventMessage, asked: DeliveryJob, rawHeaders: readonly string[]): unknown {
    const ttl = ttlBeside(asked.delivery.rawHeaders) - 1;
    const trace = traceBeside(asked.delivery.rawHeaders);
    const passed = rawHeaders.length === 0 ? trace : [...travellingHeaders(rawHeaders), ...trace];
    return this.#take(reply, ttl > 0 ? ttl : undefined, passed, asked);
  }

  #take(
    event: EventMessage,
    ttl: number | undefined,
    passed: readonly string[],
    asked: DeliveryJob | undefined,
  ): Promise<PublishResult> {
    if (this.#closed !== undefined && asked === undefined) {
      throw new KnativeError('EVENTING_BROKER_CLOSED', 'the broker is closed', { status: 503 });
    }
    if (ttl === undefined) {
      throw new KnativeError('EVENTING_TTL_EXHAUSTED', 'the event has been through too many brokers', {
        status: 400,
        path: ttlAttribute,
        hint: 'a trigger answers an event with one that reaches the trigger again: narrow its filter',
      });
    }
    const before = this.#seen?.find(event);
    if (before !== undefined) return before;
    const stored = this.#store(stamped(event, this.#arrivalTime()), ttl, passed, asked);
    this.#seen?.add(event, stored);
    return stored;
  }

  #store(event: EventMessage, ttl: number, passed: readonly string[], asked: DeliveryJob | undefined): Promise<PublishResult> {
    const matches = this.#matcher.match(wireForm(event));
    let triggers: readonly LogTrigger[];
    let result: PublishResult;
    const only = matches.length === 1 ? this.#bySlot[matches.slots[0] ?? -1] : undefined;
    if (only !== undefined) {
      triggers = only.alone;
      result = only.result;
    } else if (matches.length === 0) {
      if (this.#options.keepUnmatched !== true && this.#history === undefined) return unmatchedResolved;
      triggers = [];
      result = unmatched;
    } else {
      const all: LogTrigger[] = [];
      for (let at = 0; at < matches.length; at++) {
        const running = this.#bySlot[matches.slots[at] ?? -1];
        if (running !== undefined) all.push(running.log);
      }
      triggers = all;
      result = { triggers: all.map(({ name }) => name) };
    }
    this.#history?.published(
      event,
      ttl,
      result.triggers,
      asked && { id: asked.event.id, source: asked.event.source, trigger: asked.trigger },
    );
    if (triggers.length === 0 && this.#options.keepUnmatched !== true) return unmatchedResolved;
    const stored = this.log.append(event, triggers, companionHeaders(ttl, passed), this.#arrivalMs);
    if (stored !== undefined) return stored.then(() => result);
    return only === undefined ? Promise.resolve(result) : only.resolved;
  }

  /** The time as text, made once per millisecond. */
  #arrivalTime(): string {
    const nowMs = this.#clock.now();
    if (nowMs !== this.#arrivalMs) {
      this.#arrivalMs = nowMs;
      this.#arrival = new Date(nowMs).toISOString();
    }
    return this.#arrival;
  }

  explain(event: EventLike): readonly TriggerExplanation[] {
    return this.#matcher.match(wireForm(toEventMessage(event)), { explain: true });
  }

  backlog(trigger: string): number {
    return this.#running.get(trigger)?.log.backlog ?? 0;
  }

  #get(trigger: string): Running {
    const running = this.#running.get(trigger);
    if (running !== undefined) return running;
    throw new KnativeError('EVENTING_TRIGGER_UNKNOWN', `the broker has no trigger ${JSON.stringify(trigger)}`, {
      path: trigger,
      hint: this.#running.size === 0 ? 'it has none' : `it has ${this.triggers.slice(0, 10).join(', ')}`,
    });
  }

  pause(trigger: string): void {
    this.#get(trigger).dispatcher.pause();
  }

  resume(trigger: string): void {
    this.#get(trigger).dispatcher.resume();
  }

  status(): Promise<BrokerStatus> {
    return statusOf(this.log, [...this.#running.values()], this.#clock);
  }

  parked(trigger?: string): AsyncIterable<ParkedEvent> {
    return this.log.parked(trigger);
  }

  redrive(request: RedriveRequest = {}): Promise<number> {
    return redriveParked(this.log, request, (name) => this.#get(name).log);
  }

  drop(id: string): Promise<boolean> {
    return this.log.unpark(id);
  }

  replay(request: ReplayRequest): Promise<ReplayReport> {
    const { filter, log } = this.#get(request.trigger);
    return replayStored(this.log, request, filter, log);
  }

  history({ id, source }: { readonly id: string; readonly source?: string }): readonly EventRecord[] {
    return this.#history?.of(id, source) ?? [];
  }

  close(graceMs = 10_000): Promise<void> {
    return (this.#closed ??= this.#close(graceMs));
  }

  async #close(graceMs: number): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ dispatcher }) => dispatcher.close(graceMs)));
    await this.log.close();
    await this.#ownClient?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The event without hop count, which is stored beside it, and with its arrival time. */
function stamped(event: EventMessage, arrivalTime: string): EventMessage {
  const given = event.extensions;
  const extensions: (string | AttributeValue)[] = [];
  for (let at = 0; at + 1 < given.length; at += 2) {
    const name = given[at];
    if (name !== undefined && name !== ttlAttribute && name !== arrivalTimeAttribute) extensions.push(name, given[at + 1] ?? '');
  }
  extensions.push(arrivalTimeAttribute, arrivalTime);
  return new EventMessage({
    specversion: event.specversion,
    id: event.id,
    source: event.source,
    type: event.type,
    subject: event.subject,
    time: event.time,
    datacontenttype: event.datacontenttype,
    dataschema: event.dataschema,
    extensions,
    body: event.hasValue ? undefined : event.body,
    data: event.hasValue ? event.data() : undefined,
  });
}
