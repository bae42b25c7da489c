/** The bytes of a text after its percent escapes are undone. */
export function decodeEscapes(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const result: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const escape = bytes[at] === 0x25 ? String.fromCharCode(...bytes.subarray(at + 1, at + 3)) : '';
    if (/^[0-9A-Fa-f]{2}$/.test(escape)) {
      result.push(Number.parseInt(escape, 16));
      at += 2;
    } else result.push(bytes[at] ?? 0);
  }
  return Uint8Array.from(result);
}

/** The bytes as text, each one escaped that is no character of `kept`. */
export function encodeBytes(bytes: Uint8Array, kept: RegExp): string {
  let text = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    text += byte < 0x80 && kept.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** True for an IPv6 address without zone, also with an IPv4 address as its end. */
export function isIpv6Address(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const endsInIpv4 = last.includes('.') && !text.endsWith('::');
  if (endsInIpv4 && !ipv4.test(last)) return false;
  const hexGroups = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!hexGroups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  const count = hexGroups.length + (endsInIpv4 ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}
