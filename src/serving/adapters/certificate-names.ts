/**
 * The DNS names of the first certificate in a PEM text: the subject alternative names, found by their object identifier. `undefined`
 * when the text holds no certificate. No signature is checked: this only tells which hosts a secret is for.
 */
export function certificateDnsNames(pem: string): readonly string[] | undefined {
  const body = /-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/.exec(pem)?.[1];
  if (body === undefined) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(body.replace(/\s+/g, '')), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
  return namesOf(bytes);
}

/** Object identifier 2.5.29.17, subjectAltName. */
const identifier = [0x06, 0x03, 0x55, 0x1d, 0x11];
const dnsNameTag = 0x82;

function namesOf(bytes: Uint8Array): readonly string[] {
  for (let at = 0; at + identifier.length < bytes.length; at++) {
    if (!identifier.every((byte, index) => bytes[at + index] === byte)) continue;
    let position = at + identifier.length;
    // An optional `critical` flag stands before the octet string with the names.
    if (bytes[position] === 0x01) position += 3;
    const octets = readElement(bytes, position);
    const list = octets === undefined ? undefined : readElement(bytes, octets.start);
    return list === undefined ? [] : readNames(bytes, list.start, list.end);
  }
  return [];
}

function readNames(bytes: Uint8Array, start: number, end: number): string[] {
  const names: string[] = [];
  for (let position = start; position < end;) {
    const element = readElement(bytes, position);
    if (element === undefined) break;
    if (element.tag === dnsNameTag) names.push(String.fromCharCode(...bytes.subarray(element.start, element.end)));
    position = element.end;
  }
  return names;
}

/** One element of DER: tag and bounds of its content. */
function readElement(
  bytes: Uint8Array,
  at: number,
): { readonly tag: number; readonly start: number; readonly end: number } | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  let start = at + 2;
  let length = first;
  if (first & 0x80) {
    length = 0;
    for (let count = first & 0x7f; count > 0; count--) length = length * 256 + (bytes[start++] ?? 0);
  }
  const end = start + length;
  return end > bytes.length ? undefined : { tag, start, end };
}
