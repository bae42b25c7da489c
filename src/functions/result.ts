import { KnativeError } from '../errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { respondWith } from '../http/fetch-bridge.ts';
import { isValidHeader } from '../http/raw-headers.ts';
import { isEventLike, type CloudEventFields } from './cloud-event.ts';
import { encodeBatchReply, encodeReply } from './event-codec.ts';
import { EventMessage } from '../cloudevents/event-message.ts';
import { isStream, sendStream } from './stream-result.ts';

/** How the conventions differ in turning values into responses. */
export interface ResultRules {
  /** Headers of every normal answer, names and values in turn. */
  readonly headers: readonly string[];
  /** True when the call answers an event: an event that comes back is then sent as one. */
  readonly repliesToEvent: boolean;
  /** faas-js-runtime's rules for structured returns, events to plain requests and the default content type. */
  readonly faas: boolean;
}

const textType = 'text/plain; charset=utf-8';
const jsonType = 'application/json; charset=utf-8';

/**
 * Sends what a handler returned. Returns a promise only when the answer is a stream. Throws for what cannot be sent: symbols,
 * functions, cycles, an invalid status or header.
 */
export function sendResult(exchange: Exchange, value: unknown, rules: ResultRules): void | Promise<void> {
  switch (typeof value) {
    case 'undefined':
      return exchange.respond(204, rules.headers);
    case 'string':
      if (value === '') return exchange.respond(204, rules.headers);
      return exchange.respond(200, ['content-type', textType, ...rules.headers], value);
    case 'number':
    case 'boolean':
      return exchange.respond(200, ['content-type', jsonType, ...rules.headers], JSON.stringify(value));
    case 'bigint':
      return exchange.respond(200, ['content-type', jsonType, ...rules.headers], String(value));
    case 'object':
      if (value === null) return exchange.respond(204, rules.headers);
      return sendObject(exchange, value, rules);
    default:
      throw new KnativeError('FUNCTIONS_RESULT_INVALID', `the function returned a ${typeof value}, which cannot be sent`);
  }
}

function sendObject(exchange: Exchange, value: object, rules: ResultRules): void | Promise<void> {
  if (value instanceof Uint8Array) return sendBytes(exchange, value, rules);
  if (value instanceof ArrayBuffer) return sendBytes(exchange, new Uint8Array(value), rules);
  if (value instanceof Error) throw value;
  if (value instanceof EventMessage || isEventLike(value)) {
    if (rules.repliesToEvent || !rules.faas) return sendEvent(exchange, value, rules);
    return exchange.respond(200, ['content-type', jsonType, ...rules.headers], JSON.stringify(value));
  }
  if (value instanceof BatchReply) {
    const { rawHeaders, body } = encodeBatchReply(value.events);
    return exchange.respond(200, [...rawHeaders, ...rules.headers], body);
  }
  if (isFetchResponse(value)) return respondWith(exchange, value);
  if (isStream(value)) return sendStream(exchange, 200, rules.headers, value);
  if (Array.isArray(value)) {
    if (!rules.faas && value.length > 0 && value.every(isReplyEvent)) {
      const { rawHeaders, body } = encodeBatchReply(value);
      return exchange.respond(200, [...rawHeaders, ...rules.headers], body);
    }
    return exchange.respond(200, ['content-type', jsonType, ...rules.headers], jsonOf(value));
  }
  if (rules.faas ? isLooselyStructured(value) : isStructured(value)) return sendStructured(exchange, value, rules);
  return exchange.respond(200, ['content-type', jsonType, ...rules.headers], jsonOf(value));
}

/** Marks several events that answer a batch, also under faas conventions, which send arrays of events as JSON. */
export class BatchReply {
  readonly events: readonly (CloudEventFields | EventMessage)[];
  constructor(events: readonly (CloudEventFields | EventMessage)[]) {
    this.events = events;
  }
}

/** True for what a Trigger cannot take as the answer to an event: a value that is neither empty nor events. */
export function isPlainReply(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value instanceof BatchReply) return false;
  if (typeof value !== 'object') return true;
  if (isReplyEvent(value) || isFetchResponse(value)) return false;
  if (Array.isArray(value)) return !value.every(isReplyEvent);
  return !(isStructured(value) && value.body === undefined);
}

export function isReplyEvent(value: unknown): value is CloudEventFields | EventMessage {
  return typeof value === 'object' && value !== null && (value instanceof EventMessage || isEventLike(value));
}

// By its tag: naming the global class would load Node's fetch, which costs more than all of this package.
function isFetchResponse(value: object): value is Response {
  return (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'Response' && 'headers' in value;
}

function sendBytes(exchange: Exchange, bytes: Uint8Array, rules: ResultRules): void {
  const type = rules.faas && bytes.byteLength === 0 ? jsonType : 'application/octet-stream';
  exchange.respond(200, ['content-type', type, ...rules.headers], bytes);
}

function sendEvent(exchange: Exchange, event: CloudEventFields | EventMessage, rules: ResultRules): void {
  const { rawHeaders, body } = encodeReply(event, rules.faas);
  exchange.respond(200, [...rawHeaders, ...rules.headers], body);
}

/** A response given as an object: status, headers and body. */
export interface StructuredResult {
  readonly statusCode?: number | string;
  readonly status?: number | string;
  readonly headers?: Readonly<Record<string, unknown>> | null;
  readonly body?: unknown;
}

// Ours: only when the object has no other keys, so that data which happens to have a `body` stays data.
function isStructured(value: object): value is StructuredResult {
  let found = false;
  for (const key in value) {
    if (key !== 'statusCode' && key !== 'status' && key !== 'headers' && key !== 'body') return false;
    if (key !== 'status') found = true;
  }
  if (!found) return false;
  const { statusCode, headers } = value as StructuredResult;
  return (
    (statusCode === undefined || typeof statusCode === 'number' || typeof statusCode === 'string') &&
    (headers === undefined || typeof headers === 'object')
  );
}

function isLooselyStructured(value: object): value is StructuredResult {
  const { statusCode, headers, body } = value as StructuredResult;
  return Boolean(statusCode) || (typeof headers === 'object' && headers !== null) || body !== undefined;
}

function sendStructured(exchange: Exchange, value: StructuredResult, rules: ResultRules): void | Promise<void> {
  const { headers, faas } = rules;
  let rawHeaders = headersOf(value.headers, headers);
  const given = value.statusCode ?? (faas ? undefined : value.status);
  const wholeObject = faas && value.body === undefined;
  const body = wholeObject ? value : value.body;
  const status = given === undefined || given === 0 || given === '' ? (body === undefined ? 204 : 200) : statusOf(given);
  if (status === 204 || body === undefined) return exchange.respond(status, rawHeaders);
  const type = typeOf(rawHeaders);
  if (typeof body === 'object' && body !== null) {
    if (body instanceof Uint8Array || body instanceof ArrayBuffer) {
      if (type === undefined) rawHeaders = ['content-type', 'application/octet-stream', ...rawHeaders];
      return exchange.respond(status, rawHeaders, body instanceof ArrayBuffer ? new Uint8Array(body) : body);
    }
    if (isStream(body)) return sendStream(exchange, status, rawHeaders, body);
  }
  if (type === undefined) rawHeaders = ['content-type', typeof body === 'string' && !faas ? textType : jsonType, ...rawHeaders];
  return exchange.respond(status, rawHeaders, typeof body === 'string' ? body : jsonOf(body));
}

function jsonOf(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new KnativeError('FUNCTIONS_RESULT_INVALID', 'the function returned a value that has no JSON form', {
      cause,
      hint: 'cycles and big integers have none',
    });
  }
  if (json === undefined) throw new KnativeError('FUNCTIONS_RESULT_INVALID', `a body of type ${typeof value} cannot be sent`);
  return json;
}

function statusOf(value: number | string): number {
  const status = Number(value);
  if (Number.isInteger(status) && status >= 200 && status <= 599) return status;
  throw new KnativeError('FUNCTIONS_RESULT_INVALID', `the function returned the status ${JSON.stringify(value)}`, {
    path: 'statusCode',
    hint: 'a final status is a whole number from 200 to 599',
  });
}

// The function's headers in lower case, then those of the rules that it did not set itself.
function headersOf(given: StructuredResult['headers'], base: readonly string[]): readonly string[] {
  if (given === undefined || given === null) return base;
  if (Array.isArray(given)) {
    throw new KnativeError('FUNCTIONS_RESULT_INVALID', 'the function returned headers as an array', {
      path: 'headers',
      hint: 'give an object of names and values; an array as value repeats the header',
    });
  }
  const raw: string[] = [];
  const names = new Set<string>();
  for (const key of Object.keys(given)) {
    const name = key.toLowerCase();
    const values = given[key];
    if (values === undefined || values === null) continue;
    if (name === 'content-length' || name === 'transfer-encoding' || name === 'connection') continue;
    names.add(name);
    for (const item of Array.isArray(values) ? values : [values]) {
      const text = String(item);
      if (!isValidHeader(name, text)) throw invalidHeader(name, text);
      raw.push(name, text);
    }
  }
  for (let i = 0; i + 1 < base.length; i += 2) {
    const name = base[i] ?? '';
    if (!names.has(name)) raw.push(name, base[i + 1] ?? '');
  }
  return raw;
}

// Node's own checks word it best, and users of faas-js-runtime know these codes.
function invalidHeader(name: string, value: string): unknown {
  const { validateHeaderName, validateHeaderValue } = process.getBuiltinModule('node:http');
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch (error) {
    return error;
  }
  return new KnativeError('FUNCTIONS_RESULT_INVALID', `the header ${JSON.stringify(name)} cannot be sent`, { path: 'headers' });
}

function typeOf(rawHeaders: readonly string[]): string | undefined {
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name === 'content-type');
  return at < 0 ? undefined : rawHeaders[at + 1];
}
