import { toEventMessage, type EventMessage } from '../cloudevents/index.ts';
import { isRetried, retryPolicyOf, retryWaitMs, type RetryPolicy, type TryOutcome } from '../cloudevents/delivery-retry.ts';
import { deadLetterEvent, type DeliveryFailure } from '../cloudevents/delivery-rules.ts';
import { sleep, type Clock } from '../clock.ts';
import { KnativeError, messageOf } from '../errors.ts';
import type { HttpClient } from '../http/exchange.ts';
import type { Logger } from '../logger.ts';
import { deliveryHeaders, traceBeside } from './companion-headers.ts';
import { DeadlineList } from './deadline-list.ts';
import { DeliveryJob, type JobOwner } from './delivery-job.ts';
import { Lanes } from './lanes.ts';
import type { LogConsumer, LogDelivery, LogTrigger, ParkReason } from './log.ts';
import type { DeliveryObserver } from './observe.ts';
import { GivenUp, noAnswer, replyOf, sendEvent, sendOnce, type SendAnswer } from './send-event.ts';
import { isEventLike, type Subscriber, type TriggerOptions } from './subscriber.ts';

/** The subscriber's answer is not an event: as upstream's filter answers, so that it is retried and then a dead letter. */
const badReply = 502;
/** Deliveries to functions that answer at once before others get a turn on the event loop. */
const turnMax = 512;
/** Deliveries taken from the log that wait for a retry or for their partition, beyond those under way. */
const lookahead = 1_000;

export interface DispatcherEdges {
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes a reply back in: throws or rejects when the broker refuses it. */
  readonly reply: (reply: EventMessage, asked: DeliveryJob, rawHeaders: readonly string[]) => unknown;
  /** Headers that go along with every delivery. */
  readonly rawHeaders: readonly string[];
  /** Where dead letters of triggers without a sink go. */
  readonly deadLetterSink: Subscriber | undefined;
  /** See `EventLog.ackWaitMs`. */
  readonly ackWaitMs: number | undefined;
  /** Called for an event that nobody took: no dead letter sink, or it failed too. It is parked then. */
  readonly onParked: (trigger: string, event: EventMessage, reason: ParkReason) => void;
  readonly observer: DeliveryObserver | undefined;
  /** The observer writes trace headers. */
  readonly traces: boolean;
}

/** Delivers the events of one trigger: flow, order, retries, time-outs, replies, dead letters, acknowledgements. */
export class TriggerDispatcher implements JobOwner {
  readonly name: string;
  readonly #edges: DispatcherEdges;
  readonly #consumer: LogConsumer;
  #options: TriggerOptions;
  #policy: RetryPolicy;
  #parallelism: number;
  #timeouts: DeadlineList | undefined;
  #lanes: Lanes | undefined;
  /** Jobs whose wait is over. */
  readonly #due: DeliveryJob[] = [];
  readonly #waits = new Set<Disposable>();
  /** Tries that have not answered yet. */
  #running = 0;
  readonly #abortable = new Set<DeliveryJob>();
  /** Monotonic time of the turn. */
  #nowMs = 0;
  /** Jobs taken from the log and not settled; kept one by one only where they have to be extended. */
  #inHand = 0;
  readonly #extended: Set<DeliveryJob> | undefined;
  #extension: Disposable | undefined;
  #exhausted = true;
  #scheduled = false;
  #paused: boolean;
  #closing = false;
  #idle: (() => void)[] = [];

  /** Throws CLOUDEVENTS_DELIVERY_PERIOD for a delivery specification that cannot be read. */
  constructor(name: string, options: TriggerOptions, log: LogTrigger, edges: DispatcherEdges) {
    this.name = name;
    this.#edges = edges;
    this.#options = options;
    this.#policy = retryPolicyOf(options.delivery);
    this.#parallelism = parallelismOf(options);
    this.#paused = options.paused ?? false;
    this.#extended = edges.ackWaitMs === undefined ? undefined : new Set();
    this.#prepare();
    this.#consumer = log.consume({ onReady: () => this.#onReady(), prefetch: this.#parallelism });
  }

  /** Takes other options on: tries under way keep the old ones. Throws as the constructor does, then nothing has changed. */
  configure(options: TriggerOptions): void {
    const policy = retryPolicyOf(options.delivery);
    this.#parallelism = parallelismOf(options);
    this.#policy = policy;
    this.#options = options;
    this.#prepare();
    if (options.paused !== undefined) this.#paused = options.paused;
    this.#schedule();
  }

  #prepare(): void {
    const { requestTimeoutMs } = this.#policy;
    this.#timeouts = requestTimeoutMs > 0 ? new DeadlineList(this.#edges.clock, requestTimeoutMs) : undefined;
    // Partitions stay known while jobs of theirs are in hand, also when the order has become free meanwhile.
    if (this.#options.order === 'ordered') this.#lanes ??= new Lanes();
    else if (this.#lanes?.isEmpty === true) this.#lanes = undefined;
  }

  /** Tries under way. */
  get active(): number {
    return this.#running;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Begins no more tries; those under way go on. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  #onReady(): void {
    this.#exhausted = false;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#closing || this.#paused) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#drain());
  }

  #drain(): void {
    this.#scheduled = false;
    if (this.#timeouts !== undefined) this.#nowMs = this.#edges.clock.monotonic();
    for (let turn = 0; !this.#paused && !this.#closing && this.#running < this.#parallelism; turn++) {
      if (turn === turnMax) {
        this.#scheduled = true;
        setImmediate(() => this.#drain());
        return;
      }
      const job = this.#due.length > 0 ? this.#due.shift() : this.#take();
      if (job === undefined) return;
      if (job.partition !== undefined || this.#lanes === undefined || this.#entersLane(job, this.#lanes)) this.#try(job);
    }
  }

  #take(): DeliveryJob | undefined {
    if (this.#exhausted || this.#inHand >= this.#parallelism + lookahead) return undefined;
    const delivery = this.#consumer.next();
    if (delivery === undefined) {
      this.#exhausted = true;
      return undefined;
    }
    this.#inHand++;
    const job = new DeliveryJob(this, delivery);
    if (this.#extended !== undefined) this.#extend(job, this.#extended);
    return job;
  }

  #entersLane(job: DeliveryJob, lanes: Lanes): boolean {
    const { event } = job;
    const key = this.#options.partitionKey?.(event) ?? event.extension('partitionkey');
    return lanes.enter(job, key === undefined ? '' : `=${String(key)}`);
  }

  #try(job: DeliveryJob): void {
    const attempt = job.begin();
    const { subscriber } = this.#options;
    const { observer } = this.#edges;
    if (typeof subscriber === 'string') {
      this.#start(job);
      void this.#overHttp(job, attempt, subscriber);
      return;
    }
    observer?.begin(job);
    let value: unknown;
    try {
      value = subscriber(job.event, job);
    } catch (error) {
      this.#threw(job, error);
      return;
    }
    if (value === undefined) {
      if (observer !== undefined) observer.end(job, 200, undefined);
      job.delivery.ack();
      this.#settled(job);
    } else if (isThenable(value)) {
      this.#start(job);
      value.then(
        (result) => {
          if (this.#finish(job, attempt)) this.#answered(job, result);
        },
        (error: unknown) => {
          if (this.#finish(job, attempt)) this.#threw(job, error);
        },
      );
    } else this.#answered(job, value);
  }

  #start(job: DeliveryJob): void {
    this.#begin(job);
    this.#timeouts?.set(job, this.#nowMs);
  }

  #begin(job: DeliveryJob): void {
    job.running = true;
    this.#running++;
  }

  /** False when the job was not running: it has been given up. */
  #stop(job: DeliveryJob): boolean {
    if (!job.running) return false;
    job.running = false;
    this.#running--;
    if (this.#abortable.size > 0) this.#abortable.delete(job);
    return true;
  }

  abortable(job: DeliveryJob): void {
    this.#abortable.add(job);
  }

  /** Ends the try; false when it has ended before, by its time-out. */
  #finish(job: DeliveryJob, attempt: number): boolean {
    if (job.attempt !== attempt || !this.#stop(job)) return false;
    this.#timeouts?.clear(job);
    return true;
  }

  timedOut(job: DeliveryJob): void {
    if (!job.running) return;
    const error = noAnswer(this.#policy.requestTimeoutMs);
    job.abort(error);
    // A request that is cut answers by itself.
    if (typeof this.#options.subscriber === 'string') return;
    this.#stop(job);
    this.#threw(job, error);
  }

  #threw(job: DeliveryJob, error: unknown): void {
    const status = (KnativeError.is(error) ? error.status : undefined) ?? 500;
    this.#edges.observer?.end(job, status, error);
    this.#failed(job, { status }, { destination: 'function', status, body: messageOf(error) });
  }

  /** A function has returned something. */
  #answered(job: DeliveryJob, value: unknown): void {
    this.#edges.observer?.end(job, 200, undefined);
    if (!isEventLike(value)) this.#delivered(job);
    else {
      try {
        this.#reply(job, toEventMessage(value), []);
      } catch (error) {
        this.#replyRefused(job, error);
      }
    }
  }

  async #overHttp(job: DeliveryJob, attempt: number, url: string): Promise<void> {
    const { client, observer } = this.#edges;
    const timeouts = this.#timeouts;
    let answer: SendAnswer;
    try {
      const own = this.#headersFor(url, job.delivery);
      answer = await sendOnce(job.event, url, {
        client,
        format: this.#options.delivery?.format,
        labelJson: true,
        rawHeaders: own instanceof Promise ? await own : own,
        signal: job.signal,
        observer: observer?.sends(job),
      });
    } catch (error) {
      timeouts?.clear(job);
      if (!this.#finish(job, attempt)) return;
      if (!(error instanceof GivenUp)) this.#failed(job, 'noResponse', { destination: url, status: 500, body: messageOf(error) });
      else this.#drop();
      return;
    }
    timeouts?.clear(job);
    if (!this.#finish(job, attempt)) return;
    observer?.end(job, answer.status, undefined);
    const { status, body } = answer;
    if (!answer.delivered) {
      this.#failed(job, answer.outcome, { destination: url, status, body });
      return;
    }
    const reply = replyOf(answer);
    if (reply === undefined) this.#delivered(job);
    else if (reply === 'notAnEvent') this.#failed(job, { status: badReply }, { destination: url, status: badReply, body });
    else this.#reply(job, reply, answer.rawHeaders);
  }

  #headersFor(url: string, delivery: LogDelivery, prefer = true): string[] | Promise<string[]> {
    const headers = prefer ? ['Prefer', 'reply', ...this.#edges.rawHeaders] : [...this.#edges.rawHeaders];
    headers.push(...deliveryHeaders(delivery.rawHeaders));
    // Without tracing of our own the sender's trace goes on unchanged.
    if (!this.#edges.traces) headers.push(...traceBeside(delivery.rawHeaders));
    const own = this.#options.rawHeaders;
    if (own === undefined) return headers;
    const more = typeof own === 'function' ? own(url) : own;
    return more instanceof Promise ? more.then((list) => [...headers, ...list]) : [...headers, ...more];
  }

  #reply(job: DeliveryJob, reply: EventMessage, rawHeaders: readonly string[]): void {
    let stored: unknown;
    try {
      stored = this.#edges.reply(reply, job, rawHeaders);
    } catch (error) {
      this.#replyRefused(job, error);
      return;
    }
    if (!isThenable(stored)) {
      this.#delivered(job);
      return;
    }
    this.#begin(job);
    stored.then(
      () => {
        if (this.#stop(job)) this.#delivered(job);
      },
      (error: unknown) => {
        if (this.#stop(job)) this.#replyRefused(job, error);
      },
    );
  }

  #replyRefused(job: DeliveryJob, error: unknown): void {
    const status = (KnativeError.is(error) ? error.status : undefined) ?? 500;
    this.#failed(job, { status }, { destination: 'broker', status, body: messageOf(error) });
  }

  #delivered(job: DeliveryJob): void {
    job.delivery.ack();
    this.#settled(job);
  }

  #failed(job: DeliveryJob, outcome: TryOutcome, failure: DeliveryFailure): void {
    const { clock, logger } = this.#edges;
    if (this.#closing) {
      this.#drop();
      return;
    }
    if (job.attempt > this.#policy.retryMax || !isRetried(outcome)) {
      void this.#deadLetter(job, failure);
      return;
    }
    const waitMs = Math.max(0, retryWaitMs(this.#policy, job.attempt - 1, outcome, clock.now()));
    logger.debug({ trigger: this.name, id: job.event.id, attempt: job.attempt, waitMs }, 'delivery will be retried');
    const again = (): void => {
      this.#due.push(job);
      this.#schedule();
    };
    if (waitMs === 0) again();
    else {
      const timer = clock.setTimer(waitMs, () => {
        this.#waits.delete(timer);
        again();
      });
      this.#waits.add(timer);
      this.#schedule();
    }
  }

  /** The event goes to the dead letter sink; without one, or when that fails too, it is parked. */
  async #deadLetter(job: DeliveryJob, failure: DeliveryFailure): Promise<void> {
    const { logger } = this.#edges;
    const sink = this.#options.deadLetterSink ?? this.#options.delivery?.deadLetterSink?.uri ?? this.#edges.deadLetterSink;
    const { destination, status } = failure;
    logger.warn(
      { trigger: this.name, id: job.event.id, destination, status, deadLetter: sink !== undefined },
      'event could not be delivered',
    );
    job.begin();
    this.#begin(job);
    try {
      const last = sink === undefined ? failure : await this.#toSink(job, sink, deadLetterEvent(job.event, failure));
      if (last === undefined) job.delivery.ack();
      else await this.#park(job, last);
      this.#stop(job);
      this.#settled(job);
    } catch (error) {
      // The broker is closing, or the log cannot take it: the event stays where it is.
      this.#stop(job);
      if (!(error instanceof GivenUp)) {
        logger.error({ trigger: this.name, id: job.event.id, error: messageOf(error) }, 'dead letter could not be kept');
        job.delivery.nack(1_000);
        this.#settled(job);
      } else this.#drop();
    }
  }

  async #park(job: DeliveryJob, failure: DeliveryFailure): Promise<void> {
    const { destination, status, body } = failure;
    const message = (typeof body === 'string' ? body : new TextDecoder().decode(body?.subarray(0, 1_024))).slice(0, 1_024);
    const reason: ParkReason = { destination, status, message, attempts: job.delivery.attempt - 1 + job.attempt - 1 };
    const parked = job.delivery.park(reason);
    if (parked !== undefined) await parked;
    this.#edges.observer?.parked(job, reason);
    this.#edges.onParked(this.name, job.event, reason);
  }

  async #toSink(job: DeliveryJob, sink: Subscriber, letter: EventMessage): Promise<DeliveryFailure | undefined> {
    const { client, clock, observer } = this.#edges;
    const policy = this.#policy;
    if (typeof sink === 'string') {
      const format = this.#options.delivery?.format;
      const rawHeaders = await this.#headersFor(sink, job.delivery, false);
      const { signal } = job;
      const answer = await sendEvent(letter, sink, {
        client,
        clock,
        policy,
        format,
        labelJson: true,
        rawHeaders,
        signal,
        observer: observer?.sends(job),
      });
      observer?.deadLetter(job, answer.status);
      return answer.delivered ? undefined : { destination: sink, status: answer.status, body: answer.body };
    }
    for (let attempt = 0; ; attempt++) {
      try {
        await sink(letter, job);
        observer?.deadLetter(job, 200);
        return undefined;
      } catch (error) {
        if (attempt >= policy.retryMax) return { destination: 'function', status: 500, body: messageOf(error) };
        await sleep(clock, Math.max(0, retryWaitMs(policy, attempt, 'noResponse', clock.now())), job.signal);
      }
    }
  }

  /** The log has got its answer: the job is no longer in hand. */
  #settled(job: DeliveryJob): void {
    this.#inHand--;
    this.#extended?.delete(job);
    const next = this.#lanes?.leave(job);
    if (next !== undefined) this.#due.push(next);
    if (!this.#exhausted || this.#due.length > 0) this.#schedule();
    this.#checkIdle();
  }

  /** The job ends without an answer to the log, which gives it to the next consumer. */
  #drop(): void {
    this.#inHand--;
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.#closing && this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #extend(job: DeliveryJob, jobs: Set<DeliveryJob>): void {
    jobs.add(job);
    const tick = (): void => {
      for (const held of jobs) held.delivery.extend?.();
      this.#extension = jobs.size === 0 ? undefined : this.#edges.clock.setTimer((this.#edges.ackWaitMs ?? 0) / 3, tick);
    };
    this.#extension ??= this.#edges.clock.setTimer((this.#edges.ackWaitMs ?? 0) / 3, tick);
  }

  /** Begins nothing more; resolves when the tries under way are done, at the latest after `graceMs`. The rest stays in the log. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    for (const wait of this.#waits) wait[Symbol.dispose]();
    this.#waits.clear();
    if (this.#running > 0) {
      const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
      const timer = this.#edges.clock.setTimer(graceMs, () => this.#giveUp());
      await idle;
      timer[Symbol.dispose]();
    }
    this.#extension?.[Symbol.dispose]();
    this.#timeouts?.stop();
    this.#consumer.close();
  }

  #giveUp(): void {
    const reason = new GivenUp('the broker is closing');
    for (const job of this.#abortable) job.abort(reason);
    this.#abortable.clear();
    this.#running = 0;
    this.#checkIdle();
  }
}

function parallelismOf({ parallelism = 100 }: TriggerOptions): number {
  if (Number.isInteger(parallelism) && parallelism > 0) return parallelism;
  throw new KnativeError('EVENTING_OPTION_INVALID', `parallelism must be a positive integer, got ${String(parallelism)}`, {
    path: 'parallelism',
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
