const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const sines = Array.from({ length: 64 }, (_, index) => Math.floor(Math.abs(Math.sin(index + 1)) * 2 ** 32) >>> 0);

/**
 * MD5 of a text in UTF-8, as 32 hex digits (RFC 1321). Child names need it to equal upstream's; of no use for security.
 * Written out here because pure files import no `node:crypto`.
 */
export function md5Hex(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array(((bytes.length + 8) >> 6) * 64 + 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, (bytes.length * 8) >>> 0, true);
  view.setUint32(padded.length - 4, Math.floor(bytes.length / 2 ** 29), true);
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;
  let [a0, b0, c0, d0]: readonly number[] = state;
  for (let offset = 0; offset < padded.length; offset += 64) {
    const [a, b, c, d] = digestBlock(view, offset, a0 ?? 0, b0 ?? 0, c0 ?? 0, d0 ?? 0);
    a0 = ((a0 ?? 0) + a) >>> 0;
    b0 = ((b0 ?? 0) + b) >>> 0;
    c0 = ((c0 ?? 0) + c) >>> 0;
    d0 = ((d0 ?? 0) + d) >>> 0;
  }
  return [a0, b0, c0, d0].map(littleEndianHex).join('');
}

function digestBlock(
  view: DataView,
  offset: number,
  a: number,
  b: number,
  c: number,
  d: number,
): readonly [number, number, number, number] {
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    let mixed: number;
    let word: number;
    if (round === 0) {
      mixed = (b & c) | (~b & d);
      word = i;
    } else if (round === 1) {
      mixed = (d & b) | (~d & c);
      word = (5 * i + 1) % 16;
    } else if (round === 2) {
      mixed = b ^ c ^ d;
      word = (3 * i + 5) % 16;
    } else {
      mixed = c ^ (b | ~d);
      word = (7 * i) % 16;
    }
    const sum = (a + mixed + (sines[i] ?? 0) + view.getUint32(offset + word * 4, true)) >>> 0;
    const shift = shifts[round * 4 + (i & 3)] ?? 0;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) >>> 0;
  }
  return [a, b, c, d];
}

function littleEndianHex(value: number | undefined): string {
  let text = '';
  for (let i = 0; i < 4; i++) text += (((value ?? 0) >>> (8 * i)) & 0xff).toString(16).padStart(2, '0');
  return text;
}
