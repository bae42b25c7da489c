// MD5 (RFC 1321), because names of child objects carry it and pure code imports nothing of Node. Not for security.

const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const sines = Array.from({ length: 64 }, (_, index) => Math.floor(Math.abs(Math.sin(index + 1)) * 0x100000000) | 0);
const encoder = new TextEncoder();

/** The lower-case hexadecimal MD5 of the UTF-8 bytes of `text`. */
export function md5Hex(text: string): string {
  const bytes = encoder.encode(text);
  const padded = new Uint8Array(((bytes.length + 8) >> 6) * 64 + 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, (bytes.length << 3) >>> 0, true);
  view.setUint32(padded.length - 4, Math.floor(bytes.length / 0x20000000), true);

  let a = 0x67452301;
  let b = 0xefcdab89 | 0;
  let c = 0x98badcfe | 0;
  let d = 0x10325476;
  for (let start = 0; start < padded.length; start += 64) {
    const [previousA, previousB, previousC, previousD] = [a, b, c, d];
    for (let step = 0; step < 64; step++) {
      const round = step >> 4;
      const mixed = round === 0 ? (b & c) | (~b & d) : round === 1 ? (d & b) | (~d & c) : round === 2 ? b ^ c ^ d : c ^ (b | ~d);
      const word = round === 0 ? step : round === 1 ? (5 * step + 1) & 15 : round === 2 ? (3 * step + 5) & 15 : (7 * step) & 15;
      const sum = (a + mixed + (sines[step] ?? 0) + view.getInt32(start + word * 4, true)) | 0;
      const shift = shifts[round * 4 + (step & 3)] ?? 0;
      a = d;
      d = c;
      c = b;
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
    }
    a = (a + previousA) | 0;
    b = (b + previousB) | 0;
    c = (c + previousC) | 0;
    d = (d + previousD) | 0;
  }
  const digest = new DataView(new ArrayBuffer(16));
  [a, b, c, d].forEach((word, index) => digest.setInt32(index * 4, word, true));
  let hex = '';
  for (let index = 0; index < 16; index++) hex += digest.getUint8(index).toString(16).padStart(2, '0');
  return hex;
}
