import { startRetention } from './retention.ts';
import type { Consumer, ConsumerMessages, ConsumerInfo, JetStreamClient, JetStreamManager, JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { realClock, sleep, type Clock } from '../../clock.ts';
import type { EventMessage } from '../../cloudevents/event-message.ts';
import { KnativeError, messageOf } from '../../errors.ts';
import { silentLogger, type Logger } from '../../logger.ts';
import {
  LogFullError,
  type EventLog,
  type LogTrigger,
  type ParkedEvent,
  type ParkReason,
  type ReadOptions,
  type StoredEvent,
} from '../log.ts';
import { decodeEnvelope, decodeParked, encodeEnvelope, encodeParked, shareName, sharesOf } from './envelope.ts';
import { loadClient, logUnavailable, type ClientOptions } from './load-client.ts';
import { ServerTrigger, type ServerHome, type ServerMessage } from './server-trigger.ts';

export interface JetStreamLogOptions {
  /** Name of the stream, without dots and spaces; a second one with `-parked` behind it holds what was set aside. Both are made when missing. */
  readonly stream: string;
  /** Options of `connect` of @nats-io/transport-node (`servers`, `user`, `pass`, `tls`, …); default the server on localhost. */
  readonly connection?: ClientOptions;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Copies of the stream in a cluster; default 1. */
  readonly replicas?: number;
  /** How long the server waits for an acknowledgement; default 30 s. A crash delays what was in hand by so much. */
  readonly ackWaitMs?: number;
  /** Bytes of the stream beyond which events are refused with `LogFullError`; default 4 GiB. */
  readonly bytesMax?: number;
  /** Newest events that stay for replay after they are done for all triggers; default 10,000. */
  readonly retainEvents?: number;
}

const ackPendingMax = 10_000;
const jetStreamFull = 10077;

/**
 * Keeps events in a JetStream stream, each once; every trigger is a durable pull consumer that takes those meant for it. Needs the packages
 * @nats-io/jetstream and @nats-io/transport-node.
 */
export function jetStreamLog(options: JetStreamLogOptions): EventLog {
  return new JetStreamLog(options);
}

class JetStreamLog implements EventLog, ServerHome {
  readonly kind = 'jetstream';
  readonly guarantee: string;
  readonly capabilities: EventLog['capabilities'] = new Set(['replay', 'ack-single', 'extend'] as const);
  readonly clock: Clock;
  readonly ackWaitMs: number;
  readonly #options: JetStreamLogOptions;
  readonly #stream: string;
  readonly #parkedStream: string;
  readonly #logger: Logger;
  readonly #triggers = new Map<string, ServerTrigger>();
  /** Parked messages: the trigger of each sequence number. */
  readonly #parked = new Map<string, string>();
  readonly #publishing = new Set<Promise<void>>();
  #connected: { nc: NatsConnection; js: JetStreamClient; jsm: JetStreamManager } | undefined;
  readonly #fetches = new Map<ServerTrigger, ConsumerMessages>();
  #last = 0;
  #retention: Disposable | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: JetStreamLogOptions) {
    this.#options = options;
    this.clock = options.clock ?? realClock;
    this.ackWaitMs = options.ackWaitMs ?? 30_000;
    this.#logger = options.logger ?? silentLogger;
    this.#stream = options.stream;
    this.#parkedStream = `${options.stream}-parked`;
    const copies = options.replicas ?? 1;
    this.guarantee =
      copies > 1
        ? `a majority of ${copies} servers has the event in its file store before the sender is told`
        : 'the server has written the event to its file store, which it flushes at its sync_interval, before the sender is told';
  }

  async open(): Promise<void> {
    const [transport, library] = await loadClient(
      () => Promise.all([import('@nats-io/transport-node'), import('@nats-io/jetstream')]),
      '@nats-io/jetstream @nats-io/transport-node',
    );
    let nc: NatsConnection;
    try {
      nc = await transport.connect({ maxReconnectAttempts: -1, reconnectTimeWait: 250, ...this.#options.connection });
    } catch (cause) {
      throw logUnavailable('NATS cannot be reached', cause);
    }
    try {
      const jsm = await library.jetstreamManager(nc);
      this.#connected = { nc, jsm, js: library.jetstream(nc) };
      await this.#prepare(jsm);
    } catch (cause) {
      await nc.close();
      if (KnativeError.is(cause)) throw cause;
      throw logUnavailable('the stream cannot be opened', cause);
    }
    void this.#fetchAfterReconnects(nc);
    this.#retention = startRetention(
      this.clock,
      () => this.#retain(),
      (error) => this.#logger.warn({ error: messageOf(error) }, 'jetstream log: old events stay'),
    );
  }

  /** Requests that went down with a connection get no answer: they are made again at once, not when they expire. */
  async #fetchAfterReconnects(nc: NatsConnection): Promise<void> {
    for await (const { type } of nc.status()) {
      if (type === 'reconnect') for (const messages of this.#fetches.values()) messages.stop();
    }
  }

  async #prepare(jsm: JetStreamManager): Promise<void> {
    const common = { storage: 'file', num_replicas: this.#options.replicas ?? 1, discard: 'new' } as const;
    const { state } = await ensureStream(jsm, this.#stream, () =>
      jsm.streams.add({
        ...common,
        name: this.#stream,
        subjects: [`${this.#stream}.events`],
        max_bytes: this.#options.bytesMax ?? 4 * 1024 * 1024 * 1024,
      }),
    );
    this.#last = state.last_seq;
    const parked = await ensureStream(jsm, this.#parkedStream, () =>
      jsm.streams.add({ ...common, name: this.#parkedStream, subjects: [`${this.#parkedStream}.>`] }),
    );
    for await (const message of this.#scan(this.#parkedStream, parked.state.first_seq, parked.state.last_seq)) {
      this.#parked.set(String(message.seq), decodeParked(message.data).trigger);
    }
    let from = Infinity;
    const waitFrom = new Map<string, number>();
    for await (const info of jsm.consumers.list(this.#stream)) {
      const name = info.config.description;
      if (name === undefined) continue;
      const trigger = new ServerTrigger(name, info.name, this);
      trigger.backlog = info.num_ack_pending;
      this.#triggers.set(name, trigger);
      waitFrom.set(info.name, info.delivered.stream_seq);
      from = Math.min(from, info.delivered.stream_seq + 1);
    }
    // The server counts what was not sent to a consumer without looking for whom it is: counted here.
    for await (const message of this.#scan(this.#stream, Math.max(from, state.first_seq), state.last_seq)) {
      for (const { name, share } of sharesOf(message.data)) {
        const trigger = this.#triggers.get(name);
        if (trigger?.share === share && message.seq > (waitFrom.get(share) ?? 0)) trigger.backlog++;
      }
    }
  }

  /** Messages of a stream, `from` and `to` inclusive. */
  async *#scan(stream: string, from: number, to: number): AsyncIterable<JsMsg> {
    if (from > to || to === 0 || this.#connected === undefined) return;
    const { js } = this.#connected;
    const consumer = await js.consumers.get(stream, { deliver_policy: 'by_start_sequence', opt_start_seq: Math.max(1, from) });
    try {
      for (;;) {
        let pending = 0;
        for await (const message of await consumer.fetch({ max_messages: 256, expires: 2_000 })) {
          pending = message.info.pending;
          if (message.seq <= to) yield message;
          if (message.seq >= to) return;
        }
        if (pending === 0) return;
      }
    } finally {
      await consumer.delete().catch(() => undefined);
    }
  }

  get triggers(): readonly string[] {
    return [...this.#triggers.keys()];
  }

  trigger(name: string): ServerTrigger {
    let trigger = this.#triggers.get(name);
    if (trigger === undefined) {
      trigger = new ServerTrigger(name, shareName(name, this.clock.now()), this);
      this.#triggers.set(name, trigger);
      trigger.ready = this.#addConsumer(trigger, this.#last + 1);
      // Whoever appends for the trigger hears of a failure.
      trigger.ready.catch(() => undefined);
    }
    return trigger;
  }

  async #addConsumer({ name, share }: ServerTrigger, from: number): Promise<void> {
    await this.#server().jsm.consumers.add(this.#stream, {
      durable_name: share,
      description: name,
      ack_policy: 'explicit',
      deliver_policy: 'by_start_sequence',
      opt_start_seq: from,
      ack_wait: this.ackWaitMs * 1e6,
      max_ack_pending: ackPendingMax,
    });
  }

  #server(): { nc: NatsConnection; js: JetStreamClient; jsm: JetStreamManager } {
    if (this.#connected === undefined || this.#closed !== undefined) throw logUnavailable('the log is closed');
    return this.#connected;
  }

  async remove(name: string): Promise<void> {
    const trigger = this.#triggers.get(name);
    if (trigger === undefined) return;
    trigger.discard();
    this.#triggers.delete(name);
    const { jsm } = this.#server();
    await trigger.ready.catch(() => undefined);
    await jsm.consumers.delete(this.#stream, trigger.share).catch((error: unknown) => {
      if (!isNotFound(error)) throw logUnavailable('the consumer cannot be deleted', error);
    });
    for (const [id, of] of this.#parked) if (of === name) await this.unpark(id);
  }

  append(event: EventMessage, triggers: readonly LogTrigger[], rawHeaders: readonly string[]): Promise<void> {
    const { nc } = this.#server();
    const shares = triggers.filter((trigger) => trigger instanceof ServerTrigger).filter(({ removed }) => !removed);
    const bytes = encodeEnvelope(event, rawHeaders, { timeMs: this.clock.now(), position: 0, shares });
    const bytesMax = nc.info?.max_payload ?? Infinity;
    if (bytes.length > bytesMax) {
      throw new KnativeError('EVENTING_LOG_EVENT_SIZE', `the event takes ${bytes.length} bytes, the server allows ${bytesMax}`, {
        status: 413,
        hint: 'raise max_payload of the NATS server',
      });
    }
    const published = this.#publish(bytes, shares);
    this.#publishing.add(published);
    const done = (): void => void this.#publishing.delete(published);
    published.then(done, done);
    return published;
  }

  async #publish(bytes: Buffer, shares: readonly ServerTrigger[]): Promise<void> {
    try {
      for (const { ready } of shares) await ready;
      // Sent again after a lost answer under the same id, so that it is stored once.
      const ack = await this.#server().js.publish(`${this.#stream}.events`, bytes, {
        msgID: crypto.randomUUID(),
        retries: 4,
        timeout: 2_000,
      });
      this.#last = Math.max(this.#last, ack.seq);
    } catch (cause) {
      if (isFull(cause)) throw new LogFullError('the stream has reached its size');
      throw logUnavailable('the event was not confirmed by NATS', cause);
    }
    for (const trigger of shares) if (!trigger.removed) trigger.backlog++;
  }

  fetch(trigger: ServerTrigger): void {
    if (trigger.fetching || !trigger.wants) return;
    trigger.fetching = true;
    void this.#pump(trigger);
  }

  async #pump(trigger: ServerTrigger): Promise<void> {
    let consumer: Consumer | undefined;
    while (trigger.wants && this.#closed === undefined) {
      try {
        await trigger.ready;
        consumer ??= await this.#server().js.consumers.get(this.#stream, trigger.share);
        const room = Math.max(1, trigger.queue.prefetch - trigger.queue.ready);
        const messages = await consumer.fetch({ max_messages: room, expires: 5_000 });
        this.#fetches.set(trigger, messages);
        for await (const message of messages) this.#receive(trigger, message);
      } catch (error) {
        if (this.#closed !== undefined || trigger.removed) break;
        this.#logger.warn({ trigger: trigger.name, error: messageOf(error) }, 'jetstream log: fetch failed, will try again');
        consumer = undefined;
        await sleep(this.clock, 200);
      }
    }
    this.#fetches.delete(trigger);
    trigger.fetching = false;
    if (trigger.wants && this.#closed === undefined) this.fetch(trigger);
  }

  #receive(trigger: ServerTrigger, message: JsMsg): void {
    try {
      if (!sharesOf(message.data).some(({ share }) => share === trigger.share)) {
        message.ack();
        return;
      }
      trigger.receive(new JetStreamMessage(message));
    } catch (error) {
      // Nobody can read it; it stays in the stream and is reported, not served.
      this.#logger.error({ sequence: message.seq, error: messageOf(error) }, 'jetstream log: a message cannot be read');
      message.term();
    }
  }

  async park(trigger: ServerTrigger, delivery: ServerMessage, reason: ParkReason): Promise<void> {
    const bytes = encodeParked(
      { ...reason, trigger: trigger.name, timeMs: this.clock.now() },
      delivery.event,
      delivery.rawHeaders,
    );
    try {
      const ack = await this.#server().js.publish(`${this.#parkedStream}.${trigger.share}`, bytes, {
        msgID: `${trigger.share}-${delivery.position}`,
        retries: 2,
      });
      this.#parked.set(String(ack.seq), trigger.name);
    } catch (cause) {
      throw logUnavailable('the event was not set aside', cause);
    }
  }

  parkedCount(name: string): number {
    let count = 0;
    for (const trigger of this.#parked.values()) if (trigger === name) count++;
    return count;
  }

  async *parked(trigger?: string): AsyncIterable<ParkedEvent> {
    for (const [id, name] of [...this.#parked]) {
      if (trigger !== undefined && name !== trigger) continue;
      const message = await this.#server().jsm.streams.getMessage(this.#parkedStream, { seq: Number(id) });
      if (message !== null) yield { id, ...decodeParked(message.data) };
    }
  }

  async unpark(id: string): Promise<boolean> {
    if (!this.#parked.delete(id)) return false;
    try {
      return await this.#server().jsm.streams.deleteMessage(this.#parkedStream, Number(id), false);
    } catch (error) {
      if (isNotFound(error)) return false;
      throw logUnavailable('the parked event cannot be deleted', error);
    }
  }

  async *read(options: ReadOptions = {}): AsyncIterable<StoredEvent> {
    const { state } = await this.#server().jsm.streams.info(this.#stream);
    const from = Math.max(options.fromPosition ?? 0, state.first_seq);
    const to = Math.min(options.toPosition ?? state.last_seq, state.last_seq);
    const fromMs = options.fromPosition === undefined ? (options.fromMs ?? 0) : 0;
    for await (const message of this.#scan(this.#stream, from, to)) {
      const { timeMs, event, rawHeaders, shares } = decodeEnvelope(message.data);
      if (timeMs < fromMs) continue;
      yield { position: message.seq, timeMs, event, rawHeaders, triggers: shares.map(({ name }) => name) };
    }
  }

  async ask(trigger: ServerTrigger): Promise<{ waiting: undefined; floor: number }> {
    await trigger.ready;
    const info: ConsumerInfo = await this.#server().jsm.consumers.info(this.#stream, trigger.share);
    return { waiting: undefined, floor: info.ack_floor.stream_seq };
  }

  async stats(): ReturnType<EventLog['stats']> {
    const { state } = await this.#server().jsm.streams.info(this.#stream);
    const { first_seq: first, last_seq: lastPosition, messages: events, bytes } = state;
    return { firstPosition: events === 0 ? 0 : first, lastPosition, events, bytes };
  }

  /** Purges what is done for all triggers and older than the newest `retainEvents`. */
  async #retain(): Promise<void> {
    const { jsm } = this.#server();
    const { state } = await jsm.streams.info(this.#stream);
    let low = state.last_seq - (this.#options.retainEvents ?? 10_000);
    for await (const info of jsm.consumers.list(this.#stream)) low = Math.min(low, info.ack_floor.stream_seq);
    if (low >= state.first_seq) await jsm.streams.purge(this.#stream, { seq: low + 1 });
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#retention?.[Symbol.dispose]();
    await Promise.allSettled(this.#publishing);
    for (const trigger of this.#triggers.values()) {
      await trigger.ready.catch(() => undefined);
      trigger.release();
    }
    const nc = this.#connected?.nc;
    await nc?.flush().catch(() => undefined);
    await nc?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class JetStreamMessage implements ServerMessage {
  readonly timeMs: number;
  readonly event: EventMessage;
  readonly rawHeaders: readonly string[];
  readonly #message: JsMsg;

  constructor(message: JsMsg) {
    this.#message = message;
    const { timeMs, event, rawHeaders } = decodeEnvelope(message.data);
    this.timeMs = timeMs;
    this.event = event;
    this.rawHeaders = rawHeaders;
  }

  get position(): number {
    return this.#message.seq;
  }

  get deliveredBefore(): number {
    return this.#message.info.deliveryCount - 1;
  }

  ack(): void {
    this.#message.ack();
  }

  extend(): void {
    this.#message.working();
  }

  release(): void {
    this.#message.nak();
  }
}

async function ensureStream<T>(
  jsm: JetStreamManager,
  name: string,
  add: () => Promise<T>,
): Promise<T | Awaited<ReturnType<JetStreamManager['streams']['info']>>> {
  try {
    return await jsm.streams.info(name);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return await add();
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && /not found/i.test(error.message);
}

function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    ('code' in error && error.code === jetStreamFull) || /maximum bytes exceeded|maximum messages exceeded/i.test(error.message)
  );
}
