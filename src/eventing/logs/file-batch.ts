import type { EventMessage } from '../../cloudevents/event-message.ts';
import type { ByteWriter } from './byte-writer.ts';
import { writeEvent } from './event-codec.ts';
import { beginRecord, encodeHeader, endRecord, recordEvent, recordName, writeBatchStart } from './file-records.ts';
import type { Segment } from './file-segment.ts';
import type { FileEntry, FileTrigger } from './file-trigger.ts';

class BatchEntry implements FileEntry {
  readonly position: number;
  readonly timeMs: number;
  readonly event: EventMessage;
  readonly rawHeaders: readonly string[];
  readonly triggers: readonly FileTrigger[];
  /** Within the batch. */
  readonly offset: number;

  constructor(
    position: number,
    timeMs: number,
    event: EventMessage,
    rawHeaders: readonly string[],
    triggers: readonly FileTrigger[],
    offset: number,
  ) {
    this.position = position;
    this.timeMs = timeMs;
    this.event = event;
    this.rawHeaders = rawHeaders;
    this.triggers = triggers;
    this.offset = offset;
  }
}

/** What arrives while the batch before is written: one write, one flush, one promise for all. */
export class FileBatch {
  readonly segment: Segment;
  readonly writer: ByteWriter;
  readonly entries: BatchEntry[] = [];
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;

  /** `starts`: the first batch of its file, which begins with the header. */
  constructor(segment: Segment, writer: ByteWriter, firstPosition: number, starts: boolean) {
    this.segment = segment;
    this.writer = writer;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    this.resolve = resolve;
    this.reject = reject;
    writer.reset();
    if (starts) writer.bytes(encodeHeader(segment.header));
    writeBatchStart(writer, firstPosition);
  }

  /** Throws CLOUDEVENTS_DATA for a value without JSON form; then nothing was added. */
  add(
    position: number,
    timeMs: number,
    event: EventMessage,
    rawHeaders: readonly string[],
    triggers: readonly FileTrigger[],
  ): void {
    const { writer, segment } = this;
    for (const { name } of triggers) if (!segment.ids.has(name)) this.#define(name);
    const start = beginRecord(writer, recordEvent);
    try {
      writer.double(position);
      writer.double(timeMs);
      writer.uint32(triggers.length);
      for (const { name } of triggers) writer.uint32(segment.ids.get(name) ?? 0);
      writeEvent(writer, event, rawHeaders);
      endRecord(writer, start);
    } catch (error) {
      writer.length = start;
      throw error;
    }
    this.entries.push(new BatchEntry(position, timeMs, event, rawHeaders, triggers, start));
  }

  #define(name: string): void {
    const id = this.segment.names.length;
    const start = beginRecord(this.writer, recordName);
    this.writer.uint32(id);
    this.writer.text(name);
    endRecord(this.writer, start);
    this.segment.name(id, name);
  }
}
