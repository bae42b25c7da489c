import type { Channel, ConsumeMessage } from 'amqplib';
import { realClock, sleep, type Clock } from '../../clock.ts';
import type { EventMessage } from '../../cloudevents/event-message.ts';
import { KnativeError, messageOf } from '../../errors.ts';
import { silentLogger, type Logger } from '../../logger.ts';
import type { EventLog, LogTrigger, ParkedEvent, ParkReason, ReadOptions, StoredEvent } from '../log.ts';
import { decodeEnvelope, encodeEnvelope, shareName, type Envelope } from './envelope.ts';
import { logUnavailable, type ClientOptions } from './load-client.ts';
import { RabbitMqConnection } from './rabbitmq-connection.ts';
import { RabbitMqJournal } from './rabbitmq-journal.ts';
import { ServerTrigger, type ServerHome, type ServerMessage } from './server-trigger.ts';

export interface RabbitMqLogOptions {
  /** Starts the names of the exchange and the queues. */
  readonly prefix: string;
  /** Address or options of `connect` of amqplib; default `amqp://guest:guest@127.0.0.1:5672`. */
  readonly connection?: string | ClientOptions;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Keeps events in a stream queue for replay. Default true; without it the log has no `replay`, and costs one copy less. */
  readonly replay?: boolean;
  /** Bytes of that stream beyond which its oldest events go, done or not: they stay in the queues of their triggers. Default 1 GiB. */
  readonly replayBytes?: number;
}

/** Beside what the taker works on: deliveries that wait for a retry must not keep the queue from going on. */
const unacknowledgedExtra = 1_000;
/** Positions are time in 1/512 milliseconds, or one more than the last: they grow over restarts without a counter at the server. */
const positionsPerMs = 512;

/**
 * Keeps events in quorum queues, one per trigger, all reached by one publish with one confirm; for replay in a stream queue as well. Needs
 * the package amqplib and RabbitMQ 3.10 or newer.
 */
export function rabbitMqLog(options: RabbitMqLogOptions): EventLog {
  return new RabbitMqLog(options);
}

class RabbitMqLog implements EventLog, ServerHome {
  readonly kind = 'rabbitmq';
  readonly guarantee = 'a majority of the servers of each queue has the event on disk before the sender is told';
  readonly capabilities: EventLog['capabilities'];
  readonly clock: Clock;
  readonly #options: RabbitMqLogOptions;
  readonly #logger: Logger;
  readonly #connection: RabbitMqConnection;
  readonly #journal: RabbitMqJournal;
  readonly #triggers = new Map<string, ServerTrigger>();
  readonly #channels = new Map<ServerTrigger, Channel>();
  readonly #publishing = new Set<Promise<void>>();
  readonly #stream: string;
  #last = 0;
  #opened = false;
  #closed: Promise<void> | undefined;

  constructor(options: RabbitMqLogOptions) {
    this.#options = options;
    this.clock = options.clock ?? realClock;
    this.#logger = options.logger ?? silentLogger;
    this.#stream = `${options.prefix}.stream`;
    this.#connection = new RabbitMqConnection(
      options.connection ?? 'amqp://guest:guest@127.0.0.1:5672',
      this.clock,
      this.#logger,
    );
    this.#journal = new RabbitMqJournal(this.#connection, `${options.prefix}.journal`);
    const replays = options.replay ?? true;
    this.capabilities = new Set(replays ? (['replay', 'ack-single'] as const) : (['ack-single'] as const));
    if (replays) this.read = (range) => this.#read(range ?? {});
  }

  readonly read?: NonNullable<EventLog['read']>;

  async open(): Promise<void> {
    const { prefix, replayBytes } = this.#options;
    await this.#connection.open();
    try {
      await this.#connection.withChannel(async (channel) => {
        await channel.assertExchange(prefix, 'direct', { durable: true });
        if (this.read === undefined) return;
        const bytes = replayBytes ?? 1024 * 1024 * 1024;
        const segment = Math.max(4_096, Math.min(64 * 1024 * 1024, Math.floor(bytes / 4)));
        await channel.assertQueue(this.#stream, {
          durable: true,
          arguments: { 'x-queue-type': 'stream', 'x-max-length-bytes': bytes, 'x-stream-max-segment-size-bytes': segment },
        });
        await channel.bindQueue(this.#stream, prefix, 'stream');
      });
      await this.#journal.load();
      for (const [name, share] of this.#journal.shares) {
        const trigger = new ServerTrigger(name, share, this);
        trigger.backlog = await this.#waiting(trigger);
        this.#triggers.set(name, trigger);
      }
    } catch (cause) {
      await this.#connection.close();
      throw KnativeError.is(cause) ? cause : logUnavailable('the queues cannot be opened', cause);
    }
    this.#opened = true;
  }

  #queue(trigger: ServerTrigger): string {
    return `${this.#options.prefix}.trigger.${trigger.share}`;
  }

  #waiting(trigger: ServerTrigger): Promise<number> {
    return this.#connection.withChannel(async (channel) => (await channel.checkQueue(this.#queue(trigger))).messageCount);
  }

  get triggers(): readonly string[] {
    return [...this.#triggers.keys()];
  }

  trigger(name: string): ServerTrigger {
    let trigger = this.#triggers.get(name);
    if (trigger === undefined) {
      trigger = new ServerTrigger(name, shareName(name, this.clock.now()), this);
      this.#triggers.set(name, trigger);
      trigger.ready = this.#addQueue(trigger);
      // Whoever appends for the trigger hears of a failure.
      trigger.ready.catch(() => undefined);
    }
    return trigger;
  }

  async #addQueue(trigger: ServerTrigger): Promise<void> {
    await this.#connection.withChannel(async (channel) => {
      await channel.assertQueue(this.#queue(trigger), { durable: true, arguments: { 'x-queue-type': 'quorum' } });
      await channel.bindQueue(this.#queue(trigger), this.#options.prefix, trigger.share);
    });
    await this.#journal.addShare(trigger.name, trigger.share);
  }

  async remove(name: string): Promise<void> {
    const trigger = this.#triggers.get(name);
    if (trigger === undefined) return;
    trigger.discard();
    this.#triggers.delete(name);
    await trigger.ready.catch(() => undefined);
    await this.#channels
      .get(trigger)
      ?.close()
      .catch(() => undefined);
    await this.#connection.withChannel((channel) => channel.deleteQueue(this.#queue(trigger)));
    await this.#journal.remove(name);
  }

  append(event: EventMessage, triggers: readonly LogTrigger[], rawHeaders: readonly string[]): Promise<void> | undefined {
    if (this.#closed !== undefined || !this.#opened) throw logUnavailable('the log is closed');
    const shares = triggers.filter((trigger) => trigger instanceof ServerTrigger).filter(({ removed }) => !removed);
    if (shares.length === 0 && this.read === undefined) return undefined;
    const timeMs = this.clock.now();
    const position = Math.max(this.#last + 1, timeMs * positionsPerMs);
    const content = encodeEnvelope(event, rawHeaders, { timeMs, position, shares });
    this.#last = position;
    const published = this.#publish(content, shares);
    this.#publishing.add(published);
    const done = (): void => void this.#publishing.delete(published);
    published.then(done, done);
    return published;
  }

  async #publish(content: Buffer, shares: readonly ServerTrigger[]): Promise<void> {
    for (const { ready } of shares) await ready;
    const keys = shares.map(({ share }) => share);
    if (this.read !== undefined) keys.push('stream');
    const [first = 'stream', ...more] = keys;
    // One message to all queues: the confirm comes when the last of them has it.
    await this.#connection.publish(this.#options.prefix, first, content, { BCC: more });
    for (const trigger of shares) if (!trigger.removed) trigger.backlog++;
  }

  fetch(trigger: ServerTrigger): void {
    if (trigger.fetching || trigger.queue.prefetch === 0 || trigger.removed) return;
    trigger.fetching = true;
    void this.#pump(trigger);
  }

  /** Keeps a subscription at the server for as long as somebody consumes; its pace is the number of open acknowledgements. */
  async #pump(trigger: ServerTrigger): Promise<void> {
    while (trigger.queue.prefetch > 0 && !trigger.removed && this.#closed === undefined) {
      try {
        await this.#connection.whenOpen();
        await trigger.ready;
        const channel = await this.#connection.channel();
        const gone = new Promise<void>((resolve) => channel.on('close', resolve));
        this.#channels.set(trigger, channel);
        await channel.prefetch(trigger.queue.prefetch + unacknowledgedExtra);
        await channel.consume(this.#queue(trigger), (message) => {
          if (message === null) void channel.close().catch(() => undefined);
          else this.#receive(trigger, channel, message);
        });
        await gone;
      } catch (error) {
        if (this.#closed !== undefined || trigger.removed) break;
        this.#logger.warn({ trigger: trigger.name, error: messageOf(error) }, 'rabbitmq log: cannot consume, will try again');
        await sleep(this.clock, 200);
      }
    }
    this.#channels.delete(trigger);
    trigger.fetching = false;
  }

  #receive(trigger: ServerTrigger, channel: Channel, message: ConsumeMessage): void {
    try {
      trigger.receive(new RabbitMqMessage(channel, message, decodeEnvelope(message.content)));
    } catch (error) {
      // Nobody can read it: reported and left with the server, not served.
      this.#logger.error({ trigger: trigger.name, error: messageOf(error) }, 'rabbitmq log: a message cannot be read');
    }
  }

  park(trigger: ServerTrigger, { position, event, rawHeaders }: ServerMessage, reason: ParkReason): Promise<void> {
    const { destination, status, message, attempts } = reason;
    const meta = { destination, status, message, attempts, trigger: trigger.name, timeMs: this.clock.now() };
    return this.#journal.park(`${position}.${trigger.share}`, meta, event, rawHeaders);
  }

  parkedCount(name: string): number {
    return this.#journal.parked(name).length;
  }

  async *parked(trigger?: string): AsyncIterable<ParkedEvent> {
    for (const parked of this.#journal.parked(trigger)) yield await Promise.resolve(parked);
  }

  unpark(id: string): Promise<boolean> {
    return this.#journal.unpark(id);
  }

  async *#read(options: ReadOptions): AsyncIterable<StoredEvent> {
    const fromMs = options.fromPosition === undefined ? (options.fromMs ?? 0) : 0;
    for await (const { position, timeMs, event, rawHeaders, shares } of this.#stored()) {
      if (position < (options.fromPosition ?? 0) || timeMs < fromMs) continue;
      if (position > (options.toPosition ?? Infinity)) return;
      yield { position, timeMs, event, rawHeaders, triggers: shares.map(({ name }) => name) };
    }
  }

  /** What the stream holds now: it is read up to a mark that is put at its end. */
  async *#stored(): AsyncIterable<Envelope> {
    const mark = crypto.randomUUID();
    await this.#connection.publish('', this.#stream, Buffer.alloc(0), { type: 'mark', messageId: mark });
    for await (const { properties, content } of this.#connection.stream(
      this.#stream,
      (message) => message.properties.messageId === mark,
    )) {
      if (properties.type !== 'mark') yield decodeEnvelope(content);
    }
  }

  async ask(trigger: ServerTrigger): Promise<{ waiting: number; floor: number }> {
    await trigger.ready;
    return { waiting: await this.#waiting(trigger), floor: trigger.doneUpTo };
  }

  async stats(): ReturnType<EventLog['stats']> {
    let events = 0;
    let bytes = 0;
    let firstPosition = 0;
    let lastPosition = 0;
    if (this.read !== undefined) {
      for await (const { position, event } of this.#stored()) {
        events++;
        bytes += event.body?.length ?? 0;
        firstPosition ||= position;
        lastPosition = position;
      }
    }
    return { firstPosition, lastPosition, events, bytes };
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#publishing);
    for (const trigger of this.#triggers.values()) {
      await trigger.ready.catch(() => undefined);
      trigger.release();
      await this.#channels
        .get(trigger)
        ?.close()
        .catch(() => undefined);
    }
    await this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class RabbitMqMessage implements ServerMessage {
  readonly position: number;
  readonly timeMs: number;
  readonly event: EventMessage;
  readonly rawHeaders: readonly string[];
  readonly deliveredBefore: number;
  readonly #channel: Channel;
  readonly #message: ConsumeMessage;

  constructor(channel: Channel, message: ConsumeMessage, { position, timeMs, event, rawHeaders }: Envelope) {
    this.#channel = channel;
    this.#message = message;
    this.position = position;
    this.timeMs = timeMs;
    this.event = event;
    this.rawHeaders = rawHeaders;
    const count: unknown = message.properties.headers?.['x-delivery-count'];
    this.deliveredBefore = typeof count === 'number' ? count : 0;
  }

  ack(): void {
    try {
      this.#channel.ack(this.#message);
    } catch {
      // The channel is gone, and the server sends the message again on the next one: it is acknowledged then.
      return;
    }
  }
}
