const startBytes = 64 * 1024;

/** A growing buffer that is written from front to back, little endian. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(startBytes);
  length = 0;

  /** What was written so far: a view, valid until the next write or reset. */
  get written(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  /** Makes room for `bytes` more and returns the buffer to write to at `length`. */
  reserve(bytes: number): Buffer {
    const needed = this.length + bytes;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, this.length);
      this.#buffer = grown;
    }
    return this.#buffer;
  }

  /** Forgets what was written; a buffer that one large batch has blown up is given back. */
  reset(): void {
    this.length = 0;
    if (this.#buffer.length > startBytes * 64) this.#buffer = Buffer.allocUnsafe(startBytes);
  }

  byte(value: number): void {
    this.reserve(1)[this.length++] = value;
  }

  uint32(value: number): void {
    this.length = this.reserve(4).writeUInt32LE(value, this.length);
  }

  double(value: number): void {
    this.length = this.reserve(8).writeDoubleLE(value, this.length);
  }

  /** A whole number from 0 on, seven bits per byte. */
  varint(value: number): void {
    const buffer = this.reserve(8);
    let rest = value;
    while (rest > 127) {
      buffer[this.length++] = (rest & 127) | 128;
      rest = Math.floor(rest / 128);
    }
    buffer[this.length++] = rest;
  }

  /** UTF-8, without its length; returns how many bytes. */
  text(value: string): number {
    const written = this.reserve(value.length * 3).write(value, this.length, 'utf8');
    this.length += written;
    return written;
  }

  bytes(value: Uint8Array): void {
    this.reserve(value.length).set(value, this.length);
    this.length += value.length;
  }
}

/** Reads what `ByteWriter` wrote. Throws RangeError past the end. */
export class ByteReader {
  readonly buffer: Buffer;
  readonly end: number;
  offset: number;

  constructor(buffer: Buffer, offset = 0, end = buffer.length) {
    this.buffer = buffer;
    this.offset = offset;
    this.end = end;
  }

  byte(): number {
    const value = this.offset < this.end ? this.buffer[this.offset] : undefined;
    if (value === undefined) throw new RangeError('read past the end');
    this.offset++;
    return value;
  }

  uint32(): number {
    const value = this.buffer.readUInt32LE(this.offset);
    this.offset += 4;
    return value;
  }

  double(): number {
    const value = this.buffer.readDoubleLE(this.offset);
    this.offset += 8;
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  text(bytes: number): string {
    return this.slice(bytes).toString('utf8');
  }

  slice(bytes: number): Buffer {
    if (this.offset + bytes > this.end) throw new RangeError('read past the end');
    return this.buffer.subarray(this.offset, (this.offset += bytes));
  }
}
