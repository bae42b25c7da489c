import type { EventMessage } from '../../cloudevents/event-message.ts';
import type { ParkedEvent } from '../log.ts';
import { decodeParked, encodeParked, type ParkedMeta } from './envelope.ts';
import type { RabbitMqConnection } from './rabbitmq-connection.ts';

/**
 * Which triggers there are and what was set aside: a stream queue, read once when the log opens. RabbitMQ can list neither queues nor messages
 * over AMQP without taking them.
 */
export class RabbitMqJournal {
  readonly #connection: RabbitMqConnection;
  readonly #queue: string;
  /** Names of the shares by trigger. */
  readonly shares = new Map<string, string>();
  readonly #parked = new Map<string, ParkedEvent>();

  constructor(connection: RabbitMqConnection, queue: string) {
    this.#connection = connection;
    this.#queue = queue;
  }

  async load(): Promise<void> {
    await this.#connection.withChannel((channel) =>
      channel.assertQueue(this.#queue, { durable: true, arguments: { 'x-queue-type': 'stream' } }),
    );
    const mark = crypto.randomUUID();
    await this.#write('mark', mark, Buffer.alloc(0));
    for await (const { properties, content } of this.#connection.stream(
      this.#queue,
      (message) => message.properties.messageId === mark,
    )) {
      const kind: unknown = properties.type;
      const id = String(properties.messageId);
      if (kind === 'share') this.shares.set(id, content.toString());
      else if (kind === 'removed') this.#forget(id);
      else if (kind === 'parked') this.#parked.set(id, { id, ...decodeParked(content) });
      else if (kind === 'unparked') this.#parked.delete(id);
    }
  }

  #write(type: string, messageId: string, content: Buffer): Promise<void> {
    return this.#connection.publish('', this.#queue, content, { type, messageId });
  }

  #forget(name: string): void {
    this.shares.delete(name);
    for (const [id, { trigger }] of this.#parked) if (trigger === name) this.#parked.delete(id);
  }

  async addShare(name: string, share: string): Promise<void> {
    await this.#write('share', name, Buffer.from(share));
    this.shares.set(name, share);
  }

  async remove(name: string): Promise<void> {
    this.#forget(name);
    await this.#write('removed', name, Buffer.alloc(0));
  }

  async park(id: string, meta: ParkedMeta, event: EventMessage, rawHeaders: readonly string[]): Promise<void> {
    await this.#write('parked', id, encodeParked(meta, event, rawHeaders));
    this.#parked.set(id, { id, ...meta, event, rawHeaders });
  }

  async unpark(id: string): Promise<boolean> {
    if (!this.#parked.has(id)) return false;
    await this.#write('unparked', id, Buffer.alloc(0));
    return this.#parked.delete(id);
  }

  parked(trigger?: string): ParkedEvent[] {
    return [...this.#parked.values()].filter((parked) => trigger === undefined || parked.trigger === trigger);
  }
}
