const encoder = new TextEncoder();

/** The Adler-32 checksum (RFC 1950) of the UTF-8 bytes of `text`: part of certificate names. */
export function adler32(text: string): number {
  let low = 1;
  let high = 0;
  for (const byte of encoder.encode(text)) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return high * 65_536 + low;
}
