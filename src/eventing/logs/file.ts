import { mkdir, open, readdir, unlink, type FileHandle } from 'node:fs/promises';
import { realClock, type Clock } from '../../clock.ts';
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
import { ByteWriter } from './byte-writer.ts';
import { FileBatch } from './file-batch.ts';
import { codeOf, lockFolder } from './file-lock.ts';
import type { FileLogOptions } from './file-options.ts';
import { headerBytes } from './file-records.ts';
import { recoverEvents } from './file-recovery.ts';
import { Segment, type OnDamage } from './file-segment.ts';
import { StateFile, syncFolder, writeAll, type TriggerCursor } from './file-state.ts';
import { FileTrigger, type FileEntry, type Place, type TriggerHome } from './file-trigger.ts';

/**
 * Keeps events in files of one folder. An event is appended once its batch is on disk (`fdatasync`); a batch is everything that arrived while
 * the one before was written. The folder is made when it is missing, and belongs to one log at a time.
 */
export function fileLog(folder: string, options: FileLogOptions = {}): EventLog {
  return new FileLog(folder, options);
}

const none: readonly FileTrigger[] = [];
/** Lets everything that waits on the event loop have its turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Events that `read` takes from a file at a time. */
const readPage = 256;

class FileLog implements EventLog, TriggerHome {
  readonly kind = 'file';
  readonly guarantee = 'an event is on disk before its sender is told; a crash loses none';
  readonly capabilities: EventLog['capabilities'] = new Set(['replay', 'ack-single'] as const);
  readonly clock: Clock;
  readonly bufferedMax: number;
  durable = 0;
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #retainMs: number;
  readonly #retainBytes: number;
  readonly #bytesMax: number;
  readonly #segmentBytes: number;
  readonly #cursorMs: number;
  readonly #onDamage: OnDamage | undefined;
  readonly #triggers = new Map<string, FileTrigger>();
  readonly #dirty = new Set<FileTrigger>();
  #segments: Segment[] = [];
  /** The file that events are encoded for; the one that `#handle` belongs to may still be the one before. */
  #active: Segment | undefined;
  #written: Segment | undefined;
  #handle: FileHandle | undefined;
  /** A failed batch is being cut off its file; what comes meanwhile waits for a new one. */
  #cutting: Promise<void> | undefined;
  #state: StateFile | undefined;
  #unlock: (() => Promise<void>) | undefined;
  #batch: FileBatch | undefined;
  #writers: readonly [ByteWriter, ByteWriter] = [new ByteWriter(), new ByteWriter()];
  #committing: Promise<void> | undefined;
  #cursorTimer: Disposable | undefined;
  #noting: Promise<void> = Promise.resolve();
  #retainTimer: Disposable | undefined;
  #last = 0;
  #bytes = 0;
  #noted = 0;
  #failure: unknown;
  #closed: Promise<void> | undefined;

  constructor(folder: string, options: FileLogOptions) {
    this.#folder = folder;
    this.clock = options.clock ?? realClock;
    this.bufferedMax = options.bufferedEvents ?? 1_024;
    this.#logger = options.logger ?? silentLogger;
    this.#retainMs = options.retainMs ?? 24 * 60 * 60 * 1_000;
    this.#retainBytes = options.retainBytes ?? 256 * 1024 * 1024;
    this.#bytesMax = options.bytesMax ?? 4 * 1024 * 1024 * 1024;
    this.#segmentBytes = options.segmentBytes ?? 16 * 1024 * 1024;
    this.#cursorMs = options.cursorMs ?? 100;
    this.#onDamage =
      options.damaged === 'skip' ? (found) => this.#logger.error({ ...found }, 'event log: damage skipped') : undefined;
  }

  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    this.#unlock = await lockFolder(this.#folder);
    try {
      const files = await readdir(this.#folder);
      const isNew = !files.some((name) => name === 'state' || name.endsWith('.log'));
      const state = await StateFile.open(this.#folder, isNew, this.clock.now(), this.#onDamage);
      this.#state = state;
      for (const [name, cursor] of state.cursors) this.#triggers.set(name, new FileTrigger(name, this, cursor));
      const recovered = await recoverEvents(this.#folder, state, (name, at) => this.#known(name, at, state), this.#onDamage);
      this.#segments = recovered.segments;
      this.#bytes = recovered.segments.reduce((sum, { bytes }) => sum + bytes, 0);
      this.#last = this.durable = this.#noted = recovered.lastPosition;
    } catch (error) {
      await this.#state?.close();
      await this.#unlock();
      throw error;
    }
    this.#keepRetaining();
  }

  /** The trigger of a stored event; `undefined` when it was removed after the event. */
  #known(name: string, position: number, state: StateFile): FileTrigger | undefined {
    const trigger = this.#triggers.get(name);
    if (trigger !== undefined || (state.removed.get(name) ?? 0) >= position) return trigger;
    const made = new FileTrigger(name, this, { low: 0, ranges: [] });
    this.#triggers.set(name, made);
    return made;
  }

  get triggers(): readonly string[] {
    return [...this.#triggers.keys()];
  }

  trigger(name: string): FileTrigger {
    let trigger = this.#triggers.get(name);
    if (trigger === undefined) {
      trigger = new FileTrigger(name, this, { low: this.#last, ranges: [] });
      this.#triggers.set(name, trigger);
      this.dirty(trigger);
    }
    return trigger;
  }

  async remove(name: string): Promise<void> {
    const trigger = this.#triggers.get(name);
    trigger?.discard();
    this.#triggers.delete(name);
    if (trigger !== undefined) this.#dirty.delete(trigger);
    // Cursors noted just now must not come after: the journal keeps the order of the calls.
    await this.#state?.change({ removed: { [name]: this.#last } });
  }

  append(event: EventMessage, triggers: readonly LogTrigger[], rawHeaders: readonly string[]): Promise<void> {
    this.#checkOpen();
    if (this.#bytes >= this.#bytesMax) {
      throw new LogFullError(`the files of the log take ${this.#bytes} bytes, ${this.#bytesMax} are allowed`);
    }
    if (this.#cutting !== undefined) return this.#cutting.then(() => this.append(event, triggers, rawHeaders));
    const batch = (this.#batch ??= this.#begin());
    batch.add(this.#last + 1, this.clock.now(), event, rawHeaders, sharesOf(triggers));
    this.#last++;
    this.#committing ??= this.#commit();
    return batch.done;
  }

  #checkOpen(): void {
    if (this.#failure !== undefined) throw unavailable('the log has failed', this.#failure);
    if (this.#closed !== undefined || this.#state === undefined) throw unavailable('the log is closed', undefined);
  }

  #begin(): FileBatch {
    let active = this.#active;
    // What is being written now is not counted yet: a file may become larger by one batch.
    if (active === undefined || active.bytes >= this.#segmentBytes) {
      const number = (this.#segments.at(-1)?.header.number ?? (this.#state?.firstSegment ?? 1) - 1) + 1;
      const firstPosition = this.#last + 1;
      active = new Segment(this.#folder, { kind: 'segment', number, firstPosition, createdMs: this.clock.now() });
      this.#segments.push(active);
      this.#active = active;
      return new FileBatch(active, this.#nextWriter(), firstPosition, true);
    }
    return new FileBatch(active, this.#nextWriter(), this.#last + 1, false);
  }

  #nextWriter(): ByteWriter {
    const [next, other] = this.#writers;
    this.#writers = [other, next];
    return next;
  }

  /** Writes batch after batch until none is waiting. */
  async #commit(): Promise<void> {
    await turn();
    for (let batch = this.#batch; batch !== undefined; batch = this.#batch) {
      this.#batch = undefined;
      const { segment, writer } = batch;
      try {
        if (this.#written !== segment) await this.#roll(segment);
        await this.#write(segment, writer.written);
      } catch (error) {
        await this.#failed(batch, error);
        await turn();
        continue;
      }
      const base = segment.bytes;
      segment.bytes += writer.length;
      this.#bytes += writer.length;
      const last = batch.entries.at(-1);
      if (last !== undefined) this.durable = last.position;
      for (const entry of batch.entries) {
        for (const trigger of entry.triggers) trigger.stored(entry, segment, base + entry.offset);
      }
      batch.resolve();
      this.#note();
      // Those who waited for this batch send again before the next one is closed.
      await turn();
    }
    this.#committing = undefined;
  }

  async #roll(segment: Segment): Promise<void> {
    const old = this.#handle;
    this.#handle = undefined;
    await old?.close();
    this.#written = undefined;
    this.#handle = await open(segment.path, 'w');
    this.#written = segment;
    await syncFolder(this.#folder);
    void this.#retain();
  }

  async #write(segment: Segment, bytes: Buffer): Promise<void> {
    if (this.#handle === undefined) throw new Error('no file is open');
    await writeAll(this.#handle, bytes, segment.bytes);
    await this.#handle.datasync();
  }

  /** Nothing of the batch, and nothing that was encoded for the same file since, counts. The next event begins a new file. */
  async #failed(batch: FileBatch, cause: unknown): Promise<void> {
    const { segment } = batch;
    const error = unavailable(`the batch could not be written: ${messageOf(cause)}`, cause);
    this.#logger.error({ file: segment.path, error: messageOf(cause) }, 'event log: write failed');
    batch.reject(error);
    const waiting: FileBatch | undefined = this.#batch;
    waiting?.reject(error);
    this.#batch = undefined;
    this.#active = undefined;
    const handle = this.#handle;
    this.#handle = undefined;
    this.#written = undefined;
    await (this.#cutting = this.#cut(segment, handle));
    this.#cutting = undefined;
  }

  /** What a failed flush left behind must not come back as an event that nobody was told of. */
  async #cut(segment: Segment, handle: FileHandle | undefined): Promise<void> {
    try {
      await handle?.truncate(segment.bytes);
      await handle?.close();
      if (segment.bytes === 0) await unlink(segment.path).catch(() => undefined);
    } catch (error) {
      this.#fail(error);
    }
    // Also the file after it, if one was begun: numbers have no gaps.
    this.#segments = this.#segments.filter(({ bytes }) => bytes > 0);
  }

  dirty(trigger: FileTrigger): void {
    this.#dirty.add(trigger);
    this.#note();
  }

  #note(): void {
    if (this.#closed !== undefined) return;
    this.#cursorTimer ??= this.clock.setTimer(this.#cursorMs, () => {
      this.#cursorTimer = undefined;
      this.#noting = this.#writeCursors();
    });
  }

  /** Writes down what was acknowledged since the last time. */
  async #writeCursors(): Promise<void> {
    const changed = [...this.#dirty].filter(({ removed }) => !removed);
    this.#dirty.clear();
    if (changed.length === 0 && this.#noted === this.durable) return;
    const cursors: Record<string, TriggerCursor> = Object.create(null);
    for (const trigger of changed) cursors[trigger.name] = trigger.cursor;
    const durable = this.durable;
    try {
      await this.#state?.change({ durable, cursors });
      this.#noted = durable;
      void this.#retain();
    } catch (error) {
      this.#logger.error({ error: messageOf(error) }, 'event log: cursors could not be written, will try again');
      for (const trigger of changed) this.dirty(trigger);
    }
  }

  load(trigger: FileTrigger, from: Place): void {
    void this.#load(trigger, from).catch((error: unknown) => {
      if (this.#closed === undefined) this.#fail(error);
    });
  }

  async #load(trigger: FileTrigger, from: Place): Promise<void> {
    let { segment, offset } = from;
    for (;;) {
      const { ids } = segment;
      let next: number | undefined;
      offset = await segment.scan({
        fromOffset: offset,
        onDamage: this.#onDamage,
        visit: (event) => {
          const id = ids.get(trigger.name);
          if (id === undefined || !event.triggerIds.includes(id)) return true;
          const { position, timeMs } = event;
          if (trigger.loaded(() => ({ position, timeMs, ...event.decode() }), position)) return true;
          next = position + 1;
          return false;
        },
      });
      if (next !== undefined) {
        trigger.paused({ segment, offset }, next);
        return;
      }
      if (segment.bytes > offset) continue;
      const { number } = segment.header;
      const following = this.#segments.find(({ header }) => header.number > number);
      if (following === undefined) {
        trigger.paused(undefined, 0);
        return;
      }
      segment = following;
      offset = headerBytes;
    }
  }

  /** Damage found while the log runs: nothing more is taken or served. */
  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#logger.error({ error: messageOf(error) }, 'event log: failed');
  }

  async park(trigger: FileTrigger, position: number, entry: FileEntry, reason: ParkReason): Promise<void> {
    this.#checkOpen();
    const { destination, status, message, attempts } = reason;
    const meta = { destination, status, message, attempts, trigger: trigger.name, timeMs: this.clock.now() };
    // One id for one event and trigger: parking it again after a crash does not double it.
    const id = `${position}.${trigger.name}`;
    try {
      await this.#state?.park({ ...meta, id }, entry.event, entry.rawHeaders);
    } catch (cause) {
      throw unavailable(`the event could not be set aside: ${messageOf(cause)}`, cause);
    }
  }

  parkedCount(name: string): number {
    return this.#state?.parkedCount(name) ?? 0;
  }

  async *parked(trigger?: string): AsyncIterable<ParkedEvent> {
    if (this.#state !== undefined) yield* this.#state.parked(trigger);
  }

  async unpark(id: string): Promise<boolean> {
    if (this.#state?.has(id) !== true) return false;
    await this.#state.change({ unparked: [id] });
    return true;
  }

  async *read(options: ReadOptions = {}): AsyncIterable<StoredEvent> {
    const toPosition = options.toPosition ?? this.durable;
    const fromPosition = options.fromPosition ?? 0;
    const fromMs = options.fromPosition === undefined ? (options.fromMs ?? 0) : 0;
    let segment = this.#segments.findLast(({ header }) => header.firstPosition <= fromPosition && header.createdMs >= fromMs);
    segment ??= this.#segments.findLast(({ header }) => fromMs > 0 && header.createdMs <= fromMs) ?? this.#segments[0];
    let offset = headerBytes;
    while (segment !== undefined) {
      const page: StoredEvent[] = [];
      let past = false;
      const { names, header } = segment;
      offset = await segment
        .scan({
          fromOffset: offset,
          onDamage: this.#onDamage,
          visit: (event) => {
            const { position, timeMs } = event;
            past = position >= toPosition;
            if (position > toPosition) return false;
            if (position >= fromPosition && timeMs >= fromMs) {
              page.push({ position, timeMs, ...event.decode(), triggers: event.triggerIds.map((id) => names[id] ?? '') });
            }
            return !past && page.length < readPage;
          },
        })
        .catch((error: unknown) => {
          // Retention was faster.
          if (codeOf(error) === 'ENOENT') return Infinity;
          throw error;
        });
      yield* page;
      if (past) return;
      if (offset < segment.bytes) continue;
      segment = this.#segments.find((other) => other.header.number > header.number);
      offset = headerBytes;
    }
  }

  stats(): ReturnType<EventLog['stats']> {
    const firstPosition = this.#segments[0]?.header.firstPosition ?? 0;
    const events = firstPosition === 0 ? 0 : Math.max(0, this.durable - firstPosition + 1);
    const bytes = this.#bytes + (this.#state?.bytes ?? 0);
    return Promise.resolve({ firstPosition: events === 0 ? 0 : firstPosition, lastPosition: this.durable, events, bytes });
  }

  #keepRetaining(): void {
    if (this.#closed !== undefined) return;
    this.#retainTimer = this.clock.setTimer(Math.max(1_000, Math.min(60_000, this.#retainMs / 4)), () => {
      void this.#retain().finally(() => this.#keepRetaining());
    });
  }

  /** Deletes the oldest files in which everything is done, as far as age or size ask for it. The newest stays: it holds the last position. */
  async #retain(): Promise<void> {
    let low = this.durable;
    for (const trigger of this.#triggers.values()) low = Math.min(low, trigger.low);
    const gone: Segment[] = [];
    let bytes = this.#bytes;
    for (const [index, segment] of this.#segments.entries()) {
      const next = this.#segments[index + 1];
      if (next === undefined || next.bytes === 0 || next.header.firstPosition > low + 1) break;
      if (bytes <= this.#retainBytes && this.clock.now() - next.header.createdMs <= this.#retainMs) break;
      bytes -= segment.bytes;
      gone.push(segment);
    }
    const firstKept = this.#segments[gone.length];
    if (gone.length === 0 || firstKept === undefined) return;
    this.#segments = this.#segments.slice(gone.length);
    this.#bytes = bytes;
    try {
      await this.#state?.change({ firstSegment: firstKept.header.number });
      for (const { path } of gone) await unlink(path);
      this.#state?.forgetRemovals(firstKept.header.firstPosition);
    } catch (error) {
      // They go when the log opens the next time.
      this.#logger.error({ error: messageOf(error) }, 'event log: old files could not be deleted');
    }
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#cursorTimer?.[Symbol.dispose]();
    this.#retainTimer?.[Symbol.dispose]();
    while (this.#committing !== undefined) await this.#committing;
    for (const trigger of this.#triggers.values()) trigger.stop();
    await this.#noting;
    await this.#writeCursors();
    await this.#handle?.close();
    await this.#state?.close();
    await this.#unlock?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The log's own among the triggers; the very array when it is one of them alone, which is the most frequent case. */
function sharesOf(triggers: readonly LogTrigger[]): readonly FileTrigger[] {
  if (triggers.length === 0) return none;
  const shares: FileTrigger[] = [];
  for (const trigger of triggers) if (trigger instanceof FileTrigger && !trigger.removed) shares.push(trigger);
  return shares;
}

function unavailable(message: string, cause: unknown): KnativeError {
  if (KnativeError.is(cause) && cause.code === 'EVENTING_LOG_DAMAGED') return cause;
  return new KnativeError('EVENTING_LOG_UNAVAILABLE', message, { status: 503, ...(cause === undefined ? {} : { cause }) });
}
