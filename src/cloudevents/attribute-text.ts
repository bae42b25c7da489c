import type { AttributeValue } from './event-message.ts';

/** The canonical text of an attribute value: `true`, decimal integers, bytes as Base64. */
export function textOfAttribute(value: AttributeValue): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
  return String(value);
}
