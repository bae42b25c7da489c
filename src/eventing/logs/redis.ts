import { startRetention } from './retention.ts';
import type { Redis, RedisOptions } from 'ioredis';
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

export interface RedisStreamsLogOptions {
  /** Starts the names of all keys. */
  readonly prefix: string;
  /** Options of ioredis (`host`, `port`, `password`, `tls`, …); default the server on localhost. */
  readonly connection?: ClientOptions;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /**
   * What the server must have: `append-only-file` (default) refuses one that keeps events in memory alone, `nothing` takes it, and the log's
   * `guarantee` says that events are lost when it ends.
   */
  readonly require?: 'append-only-file' | 'nothing';
  /** Events in the stream beyond which more are refused with `LogFullError`; default 1,000,000. */
  readonly eventsMax?: number;
  /** Newest events that stay for replay after they are done for all triggers; default 10,000. */
  readonly retainEvents?: number;
}

/** Counts and adds in one step; tells those who wait. -1: full. */
const appendScript = `
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[2]) then return -1 end
local position = redis.call('INCR', KEYS[2])
redis.call('XADD', KEYS[1], position .. '-0', 'e', ARGV[1])
redis.call('PUBLISH', KEYS[1], position)
return position`;

const readPage = 256;
/** The one member of each consumer group. */
const member = 'log';

/** Keeps events in one stream, each once; every trigger is a consumer group that takes those meant for it. Needs the package ioredis. */
export function redisStreamsLog(options: RedisStreamsLogOptions): EventLog {
  return new RedisStreamsLog(options);
}

class RedisStreamsLog implements EventLog, ServerHome {
  readonly kind = 'redis';
  guarantee = 'not known before the log is open';
  readonly capabilities: EventLog['capabilities'] = new Set(['replay', 'ack-single'] as const);
  readonly clock: Clock;
  readonly #options: RedisStreamsLogOptions;
  readonly #logger: Logger;
  readonly #key: { events: string; position: string; triggers: string; parked: string };
  readonly #triggers = new Map<string, ServerTrigger>();
  /** Triggers whose pending entries have to be read first: after the start, and after the connection was lost. */
  readonly #rereads = new Set<ServerTrigger>();
  readonly #sleeping = new Map<ServerTrigger, () => void>();
  readonly #parkedIds = new Map<string, string>();
  readonly #appending = new Set<Promise<void>>();
  #clients: { main: Redis; listener: Redis } | undefined;
  #last = 0;
  #retention: Disposable | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: RedisStreamsLogOptions) {
    this.#options = options;
    this.clock = options.clock ?? realClock;
    this.#logger = options.logger ?? silentLogger;
    const { prefix } = options;
    // The braces keep all keys on one node of a cluster.
    const key = (name: string): string => `{${prefix}}:${name}`;
    this.#key = { events: key('events'), position: key('position'), triggers: key('triggers'), parked: key('parked') };
  }

  async open(): Promise<void> {
    const { Redis: Client } = await loadClient(() => import('ioredis'), 'ioredis');
    const settings: RedisOptions = {
      commandTimeout: 10_000,
      retryStrategy: (times) => Math.min(times * 100, 2_000),
      ...this.#options.connection,
      lazyConnect: true,
    };
    const main = new Client({ ...settings, replyMapping: 'legacy', enableAutoPipelining: true });
    const listener = new Client({ ...settings, replyMapping: 'legacy' });
    for (const client of [main, listener]) {
      client.on('error', (error: unknown) => this.#logger.warn({ error: messageOf(error) }, 'redis log: connection failed'));
    }
    try {
      await main.connect();
      await this.#checkDurability(main);
      this.#clients = { main, listener };
      await this.#recover(main);
      await listener.connect();
      await listener.subscribe(this.#key.events);
    } catch (cause) {
      main.disconnect();
      listener.disconnect();
      throw KnativeError.is(cause) ? cause : logUnavailable('Redis cannot be reached', cause);
    }
    listener.on('message', () => this.#wake());
    // What the server sent into the lost connection is pending there, and what was announced meanwhile was missed.
    main.on('ready', () => {
      for (const trigger of this.#triggers.values()) this.#rereads.add(trigger);
      this.#wake();
    });
    listener.on('ready', () => this.#wake());
    this.#retention = startRetention(
      this.clock,
      () => this.#retain(),
      (error) => this.#logger.warn({ error: messageOf(error) }, 'redis log: old events stay'),
    );
  }

  async #checkDurability(main: Redis): Promise<void> {
    const info = await main.info('persistence');
    if (!/^aof_enabled:1/m.test(info)) {
      if (this.#options.require !== 'nothing') {
        throw new KnativeError(
          'EVENTING_LOG_REFUSED',
          'the Redis server has no append-only file: it would lose events when it ends',
          {
            path: 'require',
            hint: 'start it with `appendonly yes`, or take `require: "nothing"` and the loss with it',
          },
        );
      }
      this.guarantee = 'the server has the event in memory; events are lost when it ends';
      return;
    }
    const config: unknown = await main.config('GET', 'appendfsync').catch(() => undefined);
    const policy: unknown = Array.isArray(config) ? config[1] : undefined;
    this.guarantee =
      policy === 'always'
        ? 'the server has the event in its append-only file on disk before the sender is told'
        : `the server has the event in its append-only file, which it flushes ${policy === 'everysec' ? 'every second' : 'at its own pace'}`;
  }

  async #recover(main: Redis): Promise<void> {
    this.#last = Number((await main.get(this.#key.position)) ?? 0);
    for (const [name, share] of Object.entries(await main.hgetall(this.#key.triggers))) {
      const trigger = new ServerTrigger(name, share, this);
      this.#triggers.set(name, trigger);
      this.#rereads.add(trigger);
      await this.#addGroup(trigger, this.#last);
    }
    const groups = await this.#groups();
    let from = Infinity;
    for (const trigger of this.#triggers.values()) {
      const group = groups.get(trigger.share);
      if (group === undefined) continue;
      trigger.backlog = group.pending;
      from = Math.min(from, group.delivered + 1);
    }
    // The server counts what a group has not read without looking for whom it is: counted here.
    for await (const { position, bytes } of this.#scan(from, this.#last)) {
      for (const { name, share } of sharesOf(bytes)) {
        const trigger = this.#triggers.get(name);
        if (trigger?.share === share && position > (groups.get(share)?.delivered ?? 0)) trigger.backlog++;
      }
    }
    const names = new Map([...this.#triggers.values()].map(({ name, share }) => [share, name]));
    for (const id of (await main.hkeys(this.#key.parked)).sort((a, b) => parseFloat(a) - parseFloat(b))) {
      this.#parkedIds.set(id, names.get(id.slice(id.indexOf('.') + 1)) ?? '');
    }
  }

  async #groups(): Promise<Map<string, { pending: number; delivered: number }>> {
    const groups = new Map<string, { pending: number; delivered: number }>();
    const replies: unknown = await this.#main()
      .xinfo('GROUPS', this.#key.events)
      .catch(() => []);
    for (const reply of Array.isArray(replies) ? replies : []) {
      const field = (name: string): string => (Array.isArray(reply) ? String(reply[reply.indexOf(name) + 1]) : '');
      groups.set(field('name'), { pending: Number(field('pending')), delivered: parseInt(field('last-delivered-id'), 10) });
    }
    return groups;
  }

  #main(): Redis {
    if (this.#clients === undefined || this.#closed !== undefined) throw logUnavailable('the log is closed');
    return this.#clients.main;
  }

  async *#scan(from: number, to: number): AsyncIterable<{ position: number; bytes: Buffer }> {
    for (let next = from; next <= to;) {
      const page = await this.#main().xrangeBuffer(this.#key.events, `${next}-0`, `${to}-0`, 'COUNT', readPage);
      for (const [id, fields] of page) {
        next = parseInt(id.toString(), 10) + 1;
        if (fields[1] !== undefined) yield { position: next - 1, bytes: fields[1] };
      }
      if (page.length < readPage) return;
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
      trigger.ready = this.#addTrigger(trigger, this.#last);
      // Whoever appends for the trigger hears of a failure.
      trigger.ready.catch(() => undefined);
    }
    return trigger;
  }

  async #addTrigger(trigger: ServerTrigger, after: number): Promise<void> {
    await this.#addGroup(trigger, after);
    await this.#main().hset(this.#key.triggers, trigger.name, trigger.share);
  }

  async #addGroup({ share }: ServerTrigger, after: number): Promise<void> {
    await this.#main()
      .xgroup('CREATE', this.#key.events, share, `${after}-0`, 'MKSTREAM')
      .catch((error: unknown) => {
        if (!messageOf(error).includes('BUSYGROUP')) throw error;
      });
  }

  async remove(name: string): Promise<void> {
    const trigger = this.#triggers.get(name);
    if (trigger === undefined) return;
    trigger.discard();
    this.#triggers.delete(name);
    this.#sleeping.get(trigger)?.();
    await trigger.ready.catch(() => undefined);
    try {
      await this.#main().hdel(this.#key.triggers, name);
      await this.#main().xgroup('DESTROY', this.#key.events, trigger.share);
    } catch (cause) {
      throw logUnavailable('the trigger cannot be removed', cause);
    }
    for (const [id, of] of this.#parkedIds) if (of === name) await this.unpark(id);
  }

  append(event: EventMessage, triggers: readonly LogTrigger[], rawHeaders: readonly string[]): Promise<void> {
    this.#main();
    const shares = triggers.filter((trigger) => trigger instanceof ServerTrigger).filter(({ removed }) => !removed);
    const bytes = encodeEnvelope(event, rawHeaders, { timeMs: this.clock.now(), position: 0, shares });
    const appended = this.#append(bytes, shares);
    this.#appending.add(appended);
    const done = (): void => void this.#appending.delete(appended);
    appended.then(done, done);
    return appended;
  }

  async #append(bytes: Buffer, shares: readonly ServerTrigger[]): Promise<void> {
    let position: unknown;
    try {
      for (const { ready } of shares) await ready;
      const max = this.#options.eventsMax ?? 1_000_000;
      position = await this.#main().eval(appendScript, 2, this.#key.events, this.#key.position, bytes, max);
    } catch (cause) {
      if (messageOf(cause).includes('OOM')) throw new LogFullError('the memory of the Redis server is full');
      throw logUnavailable('the event was not confirmed by Redis', cause);
    }
    if (position === -1) throw new LogFullError('the stream has reached its size');
    this.#last = Math.max(this.#last, Number(position));
    for (const trigger of shares) if (!trigger.removed) trigger.backlog++;
  }

  fetch(trigger: ServerTrigger): void {
    if (trigger.fetching) this.#sleeping.get(trigger)?.();
    if (trigger.fetching || !trigger.wants) return;
    trigger.fetching = true;
    void this.#pump(trigger);
  }

  #wake(): void {
    for (const wake of [...this.#sleeping.values()]) wake();
  }

  async #pump(trigger: ServerTrigger): Promise<void> {
    while (trigger.wants && this.#closed === undefined) {
      try {
        await trigger.ready;
        if (this.#rereads.delete(trigger)) await this.#reread(trigger);
        if (!trigger.wants) break;
        const announced = this.#announcement(trigger);
        const count = Math.max(1, trigger.queue.prefetch - trigger.queue.ready);
        if ((await this.#readGroup(trigger, '>', count)) === undefined) await announced;
        else this.#sleeping.get(trigger)?.();
      } catch (error) {
        if (this.#closed !== undefined || trigger.removed) break;
        this.#rereads.add(trigger);
        this.#logger.warn({ trigger: trigger.name, error: messageOf(error) }, 'redis log: cannot read, will try again');
        await sleep(this.clock, 200);
      }
    }
    trigger.fetching = false;
    if (trigger.wants && this.#closed === undefined) this.fetch(trigger);
  }

  /** Resolves when something was appended since the call, when the consumer has changed, or after a while. */
  #announcement(trigger: ServerTrigger): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer[Symbol.dispose]();
        this.#sleeping.delete(trigger);
        resolve();
      };
      const timer = this.clock.setTimer(5_000, wake);
      this.#sleeping.set(trigger, wake);
    });
  }

  /** What was sent here and not acknowledged. */
  async #reread(trigger: ServerTrigger): Promise<void> {
    for (let from: string | undefined = '0'; from !== undefined;) from = await this.#readGroup(trigger, from, readPage);
  }

  /** Reads entries for a trigger; the id of the last one, `undefined` without any. */
  async #readGroup(trigger: ServerTrigger, from: string, count: number): Promise<string | undefined> {
    const key = this.#key.events;
    const reply: unknown = await this.#main().xreadgroupBuffer(
      'GROUP',
      trigger.share,
      member,
      'COUNT',
      count,
      'STREAMS',
      key,
      from,
    );
    const stream: unknown = Array.isArray(reply) ? reply[0] : undefined;
    const entries: unknown = Array.isArray(stream) ? stream[1] : undefined;
    let last: string | undefined;
    for (const entry of Array.isArray(entries) ? entries : []) {
      if (!Array.isArray(entry)) continue;
      last = String(entry[0]);
      const fields: unknown = entry[1];
      const bytes: unknown = Array.isArray(fields) ? fields[1] : undefined;
      this.#receive(trigger, last, Buffer.isBuffer(bytes) ? bytes : undefined);
    }
    return last;
  }

  #receive(trigger: ServerTrigger, id: string, bytes: Buffer | undefined): void {
    const ack = (): void => {
      // Lost with the connection, it comes again when pending entries are read, and is acknowledged then.
      this.#clients?.main.xack(this.#key.events, trigger.share, id).catch(() => this.#rereads.add(trigger));
    };
    try {
      if (bytes === undefined || !sharesOf(bytes).some(({ share }) => share === trigger.share)) {
        ack();
        return;
      }
      trigger.receive({ ...decodeEnvelope(bytes), position: parseInt(id, 10), deliveredBefore: 0, ack });
    } catch (error) {
      // Nobody can read it: reported and left with the server, not served.
      this.#logger.error({ id, error: messageOf(error) }, 'redis log: an entry cannot be read');
    }
  }

  async park(trigger: ServerTrigger, { position, event, rawHeaders }: ServerMessage, reason: ParkReason): Promise<void> {
    const id = `${position}.${trigger.share}`;
    const bytes = encodeParked({ ...reason, trigger: trigger.name, timeMs: this.clock.now() }, event, rawHeaders);
    try {
      await this.#main().hset(this.#key.parked, id, bytes);
    } catch (cause) {
      throw logUnavailable('the event was not set aside', cause);
    }
    this.#parkedIds.set(id, trigger.name);
  }

  parkedCount(name: string): number {
    let count = 0;
    for (const trigger of this.#parkedIds.values()) if (trigger === name) count++;
    return count;
  }

  async *parked(trigger?: string): AsyncIterable<ParkedEvent> {
    for (const [id, name] of [...this.#parkedIds]) {
      if (trigger !== undefined && name !== trigger) continue;
      const bytes = await this.#main().hgetBuffer(this.#key.parked, id);
      if (bytes !== null) yield { id, ...decodeParked(bytes) };
    }
  }

  async unpark(id: string): Promise<boolean> {
    this.#parkedIds.delete(id);
    try {
      return (await this.#main().hdel(this.#key.parked, id)) === 1;
    } catch (cause) {
      throw logUnavailable('the parked event cannot be deleted', cause);
    }
  }

  async *read(options: ReadOptions = {}): AsyncIterable<StoredEvent> {
    const last = Number((await this.#main().get(this.#key.position)) ?? 0);
    const fromMs = options.fromPosition === undefined ? (options.fromMs ?? 0) : 0;
    for await (const { position, bytes } of this.#scan(options.fromPosition ?? 0, Math.min(options.toPosition ?? last, last))) {
      const { timeMs, event, rawHeaders, shares } = decodeEnvelope(bytes);
      if (timeMs < fromMs) continue;
      yield { position, timeMs, event, rawHeaders, triggers: shares.map(({ name }) => name) };
    }
  }

  async ask(trigger: ServerTrigger): Promise<{ waiting: undefined; floor: number }> {
    await trigger.ready;
    const group = (await this.#groups()).get(trigger.share);
    return { waiting: undefined, floor: group?.delivered ?? 0 };
  }

  async stats(): ReturnType<EventLog['stats']> {
    const main = this.#main();
    const events = await main.xlen(this.#key.events);
    const [oldest] = await main.xrangeBuffer(this.#key.events, '-', '+', 'COUNT', 1);
    const bytes = Number((await main.memory('USAGE', this.#key.events)) ?? 0);
    return {
      firstPosition: oldest === undefined ? 0 : parseInt(oldest[0].toString(), 10),
      lastPosition: this.#last,
      events,
      bytes,
    };
  }

  /** Trims what is done for all triggers and older than the newest `retainEvents`. */
  async #retain(): Promise<void> {
    let low = this.#last - (this.#options.retainEvents ?? 10_000);
    for (const [share, { delivered }] of await this.#groups()) {
      const pending: unknown = await this.#main().xpending(this.#key.events, share);
      const oldest: unknown = Array.isArray(pending) ? pending[1] : undefined;
      low = Math.min(low, typeof oldest === 'string' ? parseInt(oldest, 10) - 1 : delivered);
    }
    if (low > 0) await this.#main().xtrim(this.#key.events, 'MINID', `${low + 1}-0`);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#retention?.[Symbol.dispose]();
    this.#wake();
    await Promise.allSettled(this.#appending);
    for (const trigger of this.#triggers.values()) {
      await trigger.ready.catch(() => undefined);
      trigger.release();
    }
    if (this.#clients === undefined) return;
    this.#clients.listener.disconnect();
    // Behind all acknowledgements that are under way.
    await this.#clients.main.quit().catch(() => this.#clients?.main.disconnect());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
