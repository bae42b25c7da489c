import { KnativeError } from '../errors.ts';
import { decodeUtf8 } from './header-value.ts';
import { charsetOf, isJsonContentType, isTextContentType } from './media-type.ts';

// The two forms of an event's data, bytes and value, and the ways between them.

/** True when data of this content type are JSON values in memory. An event without content type holds JSON by the JSON format's rule. */
export function isJsonData(contentType: string | undefined): boolean {
  return contentType === undefined || isJsonContentType(contentType);
}

/**
 * The value that bytes stand for: JSON for JSON types, text for `text/*` and XML, the bytes themselves otherwise and without
 * content type. Throws CLOUDEVENTS_DATA when they are not what the content type says.
 */
export function valueOfBytes(bytes: Uint8Array, contentType: string | undefined): unknown {
  if (contentType === undefined) return bytes;
  if (isJsonContentType(contentType)) return parseJsonData(bytes);
  return isTextContentType(contentType) ? textOfBytes(bytes, charsetOf(contentType)) : bytes;
}

function parseJsonData(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new KnativeError('CLOUDEVENTS_DATA', 'the data are not UTF-8', { path: 'data' });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KnativeError(
      'CLOUDEVENTS_DATA',
      `the data are not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
        path: 'data',
        hint: 'Read `body` for the bytes as they came.',
      },
    );
  }
}

function textOfBytes(bytes: Uint8Array, charset: string): string {
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(charset, { fatal: true });
  } catch (cause) {
    throw new KnativeError('CLOUDEVENTS_DATA', `unknown charset ${JSON.stringify(charset)}`, { cause, path: 'datacontenttype' });
  }
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new KnativeError('CLOUDEVENTS_DATA', `the data are not ${charset} text`, { cause, path: 'data' });
  }
}

/** The bytes that stand for a value: text as it is for content types that are not JSON, JSON text for everything else. */
export function bytesOfValue(value: unknown, contentType: string | undefined): Uint8Array {
  if (typeof value === 'string' && !isJsonData(contentType)) return Buffer.from(value, 'utf8');
  return Buffer.from(stringifyData(value), 'utf8');
}

/** JSON text of a value; CLOUDEVENTS_DATA when it has none (cycles, functions, nesting too deep for the stack, bigint). */
export function stringifyData(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new KnativeError(
      'CLOUDEVENTS_DATA',
      `the data cannot be written as JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
        path: 'data',
      },
    );
  }
  if (text === undefined)
    throw new KnativeError('CLOUDEVENTS_DATA', `data of type ${typeof value} have no JSON form`, { path: 'data' });
  return text;
}
