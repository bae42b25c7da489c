const encoder = new TextEncoder();
const mask = 0xffff_ffff_ffff_ffffn;

/** FNV-1a, 64 bits, of the UTF-8 bytes of `text`: places activators on a ring. */
export function fnv1a64(text: string): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const byte of encoder.encode(text)) hash = ((hash ^ BigInt(byte)) * 0x100_0000_01b3n) & mask;
  return hash;
}

/** FNV-1a, 32 bits, of the UTF-16 code units of `text`: tells whether a generated object changed. */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
