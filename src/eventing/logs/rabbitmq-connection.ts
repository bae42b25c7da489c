import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import type { Clock } from '../../clock.ts';
import { sleep } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { loadClient, logUnavailable, type ClientOptions } from './load-client.ts';

/** A connection that comes back: while it is away, publishing fails at once and consumers wait. */
export class RabbitMqConnection {
  readonly #url: string | ClientOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #model: ChannelModel | undefined;
  #publisher: ConfirmChannel | undefined;
  #closed = false;
  #waiters: (() => void)[] = [];

  constructor(url: string | ClientOptions, clock: Clock, logger: Logger) {
    this.#url = url;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Rejects when the server cannot be reached; later losses are repaired. */
  async open(): Promise<void> {
    const { connect } = await loadClient(() => import('amqplib'), 'amqplib');
    const model = await connect(this.#url, { timeout: 5_000 }).catch((cause: unknown) => {
      throw logUnavailable('RabbitMQ cannot be reached', cause);
    });
    model.on('error', (error: unknown) => this.#logger.warn({ error: messageOf(error) }, 'rabbitmq log: connection failed'));
    model.on('close', () => {
      if (this.#model !== model) return;
      this.#model = undefined;
      this.#publisher = undefined;
      if (!this.#closed) void this.#reopen();
    });
    const publisher = await model.createConfirmChannel();
    publisher.on('error', (error: unknown) => this.#logger.warn({ error: messageOf(error) }, 'rabbitmq log: channel failed'));
    publisher.on('close', () => {
      // A channel that failed alone takes the connection along, so that there is one way back.
      if (this.#model === model && !this.#closed) void model.close().catch(() => undefined);
    });
    this.#model = model;
    this.#publisher = publisher;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  async #reopen(): Promise<void> {
    for (let waitMs = 100; !this.#closed; waitMs = Math.min(waitMs * 2, 5_000)) {
      try {
        await this.open();
        return;
      } catch (error) {
        this.#logger.warn({ error: messageOf(error) }, 'rabbitmq log: cannot connect, will try again');
        await sleep(this.#clock, waitMs);
      }
    }
  }

  /** Resolves when there is a connection, or the log is closed. */
  async whenOpen(): Promise<void> {
    while (this.#model === undefined && !this.#closed) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** A channel for one use or one consumer. Rejects while there is no connection. */
  async channel(): Promise<Channel> {
    if (this.#model === undefined) throw logUnavailable('RabbitMQ is not connected');
    const channel = await this.#model.createChannel();
    channel.on('error', (error: unknown) => this.#logger.warn({ error: messageOf(error) }, 'rabbitmq log: channel failed'));
    return channel;
  }

  async withChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await this.channel();
    try {
      return await use(channel);
    } finally {
      await channel.close().catch(() => undefined);
    }
  }

  /** Resolves when every queue that the message went to has it on disk. */
  publish(exchange: string, key: string, content: Buffer, options: Options.Publish): Promise<void> {
    const publisher = this.#publisher;
    if (publisher === undefined) return Promise.reject(logUnavailable('RabbitMQ is not connected'));
    return new Promise((resolve, reject) => {
      publisher.publish(exchange, key, content, { ...options, persistent: true }, (error: unknown) => {
        if (error === null || error === undefined) resolve();
        else reject(logUnavailable('the event was not confirmed by RabbitMQ', error));
      });
    });
  }

  /** Messages of a stream queue from its start up to the one that `last` recognises. */
  async *stream(queue: string, last: (message: ConsumeMessage) => boolean): AsyncIterable<ConsumeMessage> {
    const channel = await this.channel();
    const arrived: (ConsumeMessage | null)[] = [];
    let wake: () => void = () => undefined;
    const push = (message: ConsumeMessage | null): void => {
      arrived.push(message);
      wake();
    };
    channel.on('close', () => push(null));
    try {
      await channel.prefetch(200);
      await channel.consume(queue, push, { arguments: { 'x-stream-offset': 'first' } });
      for (;;) {
        const message = arrived.shift();
        if (message === undefined) {
          await new Promise<void>((resolve) => (wake = resolve));
          continue;
        }
        if (message === null) throw logUnavailable('the connection was lost while reading');
        channel.ack(message);
        if (last(message)) return;
        yield message;
      }
    } finally {
      await channel.close().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const resolve of this.#waiters.splice(0)) resolve();
    await this.#model?.close().catch(() => undefined);
  }
}
