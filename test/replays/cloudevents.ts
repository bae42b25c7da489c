import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import {
  decodeBatch,
  decodeHttp,
  decodeStructured,
  encodeBatch,
  encodeBinary,
  encodeStructured,
  EventFault,
  eventOfJson,
  eventOrThrow,
  type EventMessage,
} from '../../src/cloudevents/index.ts';
import { differencesOf, type Replay, type ReplayCase } from './replay.ts';

// http-binding.json: decoding and encoding by the specification, and what the Go SDK does with the same bytes (which is what
// `as: 'upstream'` must accept and refuse). conformance-*: the data of cloudevents/conformance, version 1.0 over HTTP.

type Json = Record<string, unknown>;

interface HttpRequest {
  headers: Record<string, string>;
  body?: string;
  bodyBase64?: string;
  batch?: boolean;
}

interface SpecResult {
  valid: boolean;
  attributes?: Json;
  data?: unknown;
  dataBase64?: string;
  bodyBase64?: string;
  binaryHeaders?: Record<string, string>;
  events?: SpecResult[];
}

interface HttpCase {
  id: string;
  batch?: boolean;
  request?: HttpRequest;
  event?: Json;
  spec: SpecResult;
  go?: { decodeError?: string; events?: { validationError?: string; structured?: Json }[] };
}

export const replay: Replay = function* (folder) {
  const path = join(folder, 'http-binding.json');
  if (existsSync(path)) {
    const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: HttpCase[] };
    for (const item of cases) yield* replayHttpCase(item);
  }
  yield* replayFeature(join(folder, 'conformance-features', 'http-protocol-binding.feature'));
  for (const name of ['v1.yaml', 'v1.0/v1_minimum.yaml']) yield* replayEvents(join(folder, 'conformance-yaml', name), name);
  for (const name of [
    'conformance-features/kafka-protocol-binding.feature',
    'conformance-yaml/v03.yaml',
    'conformance-yaml/v0.3/v03_minimum.yaml',
  ]) {
    if (!existsSync(join(folder, name))) continue;
    yield { file: name, id: 'all', skip: 'not version 1.0 over HTTP', expected: undefined, check: () => [] };
  }
};

function* replayHttpCase(item: HttpCase): Generator<ReplayCase> {
  const { request, event, spec } = item;
  const file = 'http-binding.json';
  if (event !== undefined) {
    yield {
      file,
      id: item.id,
      expected: expectedOf(spec),
      check: (expected) => differencesOf(expected, encodedOutcome(event)),
    };
    return;
  }
  if (request === undefined) return;
  const isBatch = item.batch === true || request.batch === true;
  yield {
    file,
    id: item.id,
    expected: isBatch ? expectedOfBatch(spec) : expectedOf(spec),
    check: (expected) => differencesOf(expected, isBatch ? batchOutcome(request) : outcomeOf(decode(request))),
  };
  if (item.go === undefined || isBatch || refusesBase64(item)) return;
  yield {
    file,
    id: `${item.id} as upstream`,
    expected: upstreamExpected(item.go, request),
    check: (expected: Json) => differencesOf(expected, upstreamOutcome(request, 'attributes' in expected)),
  };
}

/** Base64 data that the Go SDK refuses or empties because of the white space around them; we take or refuse them by their value. */
function refusesBase64(item: HttpCase): boolean {
  return item.request?.body?.includes('data_base64') === true && (item.go?.decodeError !== undefined) === item.spec.valid;
}

function expectedOf(spec: SpecResult): Json {
  if (!spec.valid) return { valid: false };
  const { valid, attributes, binaryHeaders } = spec;
  const hasData = 'data' in spec || spec.dataBase64 !== undefined || spec.bodyBase64 !== undefined;
  return {
    valid,
    attributes,
    hasData,
    ...('data' in spec ? { data: spec.data } : {}),
    ...(spec.dataBase64 === undefined && spec.bodyBase64 === undefined ? {} : { bytes: spec.dataBase64 ?? spec.bodyBase64 }),
    ...(binaryHeaders === undefined ? {} : { binaryHeaders }),
  };
}

function expectedOfBatch(spec: SpecResult): Json {
  return spec.valid ? { valid: true, events: spec.events?.map(expectedOf) ?? [] } : { valid: false };
}

function decode(request: HttpRequest, as: 'specification' | 'upstream' = 'specification'): EventMessage | EventFault {
  return decodeHttp(wireHeaders(request.headers), bytesOf(request), { as });
}

/** Header values as they come out of node:http: the bytes as Latin-1. */
function wireHeaders(headers: Record<string, string>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [name, Buffer.from(value, 'utf8').toString('latin1')]);
}

function bytesOf(request: HttpRequest): Buffer | undefined {
  if (request.bodyBase64 !== undefined) return Buffer.from(request.bodyBase64, 'base64');
  return request.body === undefined ? undefined : Buffer.from(request.body, 'utf8');
}

function outcomeOf(event: EventMessage | EventFault): Json {
  if (event instanceof EventFault) return { valid: false };
  return { valid: true, attributes: { ...event.attributes() }, hasData: event.hasData, ...dataOf(event) };
}

function dataOf(event: EventMessage): Json {
  if (!event.hasData) return {};
  return event.hasValue ? { data: event.data() } : { bytes: Buffer.from(event.body ?? []).toString('base64') };
}

function batchOutcome(request: HttpRequest): Json {
  const events = decodeBatch(bytesOf(request) ?? Buffer.alloc(0));
  if (events instanceof EventFault) return { valid: false };
  const again = eventOrThrow(decodeBatch(encodeBatch(events).body ?? Buffer.alloc(0)));
  if (differencesOf(events.map(outcomeOf), again.map(outcomeOf)).length > 0) return { valid: true, changedByEncoding: true };
  return { valid: true, events: events.map(outcomeOf) };
}

/** Builds an event, sends it in both modes, and tells what arrives (the same both times) and the headers of binary mode. */
function encodedOutcome(json: Json): Json {
  const event = eventOfJson(json);
  if (event instanceof EventFault) return { valid: false };
  const structured = encodeStructured(event);
  const binary = encodeBinary(event);
  const fromStructured = outcomeOfSent(event, eventOrThrow(decodeHttp(structured.rawHeaders, structured.body)));
  const fromBinary = decodeHttp(binary.rawHeaders, binary.body);
  if (fromBinary instanceof EventFault) return { valid: false, fault: fromBinary.message };
  const attributes = { ...fromBinary.attributes() };
  const sent: Record<string, string> = {};
  for (let i = 0; i < binary.rawHeaders.length; i += 2) {
    const name = binary.rawHeaders[i] ?? '';
    if (name.startsWith('ce-')) sent[name] = binary.rawHeaders[i + 1] ?? '';
  }
  const arrived = { attributes: textual(attributes), body: textOf(fromBinary) };
  const wanted = { attributes: textual(impliedJson(event)), body: textOf(event) };
  const lost = differencesOf(wanted, arrived);
  return { ...fromStructured, binaryHeaders: sent, ...(lost.length > 0 ? { lostInBinaryMode: lost } : {}) };
}

/** What arrives in structured mode. Bytes of JSON arrive as the value that they are. */
function outcomeOfSent(event: EventMessage, received: EventMessage): Json {
  if (event.hasValue || !received.hasValue || JSON.stringify(event.data()) !== JSON.stringify(received.data()))
    return outcomeOf(received);
  return { ...outcomeOf(received), data: undefined, ...dataOf(event) };
}

function textOf(event: EventMessage): string | undefined {
  return event.body === undefined || event.body.length === 0 ? undefined : Buffer.from(event.body).toString('latin1');
}

/** Attributes have no types in binary mode. */
function textual(attributes: Json): Json {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]));
}

function impliedJson(event: EventMessage): Json {
  const attributes: Json = { ...event.attributes() };
  if (event.hasValue) attributes['datacontenttype'] ??= 'application/json';
  return attributes;
}

/** The Go SDK's verdict and attributes; not the attributes where it leaves percent-encoding or quotes as they are. */
function upstreamExpected(go: NonNullable<HttpCase['go']>, request: HttpRequest): Json {
  const event = go.events?.[0];
  const valid = go.decodeError === undefined && event !== undefined && event.validationError === undefined;
  if (!valid || leavesEncoding(request) || event.structured?.['marshalError'] !== undefined) return { valid };
  const { data: _, data_base64: __, ...attributes } = event.structured ?? {};
  return { valid, attributes };
}

function leavesEncoding(request: HttpRequest): boolean {
  return Object.entries(request.headers).some(
    ([name, value]) => name.toLowerCase().startsWith('ce-') && (/[%"]/.test(value) || name.toLowerCase() === 'ce-data'),
  );
}

function upstreamOutcome(request: HttpRequest, withAttributes: boolean): Json {
  const event = decode(request, 'upstream');
  if (event instanceof EventFault) return { valid: false };
  return withAttributes ? { valid: true, attributes: { ...event.attributes() } } : { valid: true };
}

/** The scenarios of the conformance feature file: a request, and the attributes and data that it must give. */
function* replayFeature(path: string): Generator<ReplayCase> {
  if (!existsSync(path)) return;
  const scenarios = readFileSync(path, 'utf8').split('Scenario Outline:').slice(1);
  for (const scenario of scenarios) {
    const [head = '', examples = ''] = scenario.split('Examples:');
    for (const contentType of tableOf(examples).slice(1).flat()) {
      const text = head.replaceAll('<contentType>', contentType);
      const [requestText = '', dataText = ''] = blocksOf(text);
      const attributes = Object.fromEntries(
        tableOf(text)
          .slice(1)
          .map(([name = '', value]) => [name, value]),
      );
      yield {
        file: 'conformance-features/http-protocol-binding.feature',
        id: `${text.split('\n', 1)[0]?.trim()}`,
        expected: { attributes, data: JSON.parse(dataText) as unknown },
        check: (expected) => differencesOf(expected, parseRequest(requestText)),
      };
    }
  }
}

function tableOf(text: string): string[][] {
  return [...text.matchAll(/^\s*\|(.*)\|\s*$/gm)].map(([, row = '']) => row.split('|').map((cell) => cell.trim()));
}

function blocksOf(text: string): string[] {
  return [...text.matchAll(/"""\n([\s\S]*?)\n\s*"""/g)].map(([, block = '']) => block);
}

function parseRequest(text: string): Json {
  const lines = text.split('\n').map((line) => line.trim());
  const blank = lines.indexOf('');
  const rawHeaders = lines
    .slice(1, blank)
    .flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
  const event = eventOrThrow(decodeHttp(rawHeaders, Buffer.from(lines.slice(blank + 1).join('\n'))));
  return { attributes: { ...event.attributes() }, data: event.data() };
}

interface ConformanceEvent {
  Mode?: string;
  ContextAttributes: Json & { Extensions?: Json };
  Data: string;
}

/** The conformance events: each is sent in its mode (both when it names none) and must arrive with the same attributes and bytes. */
function* replayEvents(path: string, name: string): Generator<ReplayCase> {
  if (!existsSync(path)) return;
  const documents = parseAllDocuments(readFileSync(path, 'utf8'), { schema: 'failsafe' });
  for (const [index, document] of [...documents].entries()) {
    const { Mode, ContextAttributes, Data } = document.toJS() as ConformanceEvent;
    const { Extensions, ...own } = ContextAttributes;
    const attributes = { ...own, ...Extensions };
    const modes = Mode === undefined ? ['binary', 'structured'] : [Mode];
    for (const mode of modes) {
      yield {
        file: `conformance-yaml/${name}`,
        id: `${index} ${mode}`,
        expected: { attributes, data: Data },
        check: (expected) => differencesOf(expected, sendAndReceive(attributes, Data, mode)),
      };
    }
  }
}

function sendAndReceive(attributes: Json, data: string, mode: string): Json {
  const event = eventOrThrow(eventOfJson({ ...attributes, data_base64: Buffer.from(data).toString('base64') }));
  const { rawHeaders, body } = mode === 'binary' ? encodeBinary(event) : encodeStructured(event);
  const received = eventOrThrow(mode === 'binary' ? decodeHttp(rawHeaders, body) : decodeStructured(body ?? Buffer.alloc(0)));
  // JSON goes through a parser in structured mode: then its value counts, not its white space.
  const sameJson = mode === 'structured' && received.hasValue && JSON.stringify(received.data()) === JSON.stringify(event.data());
  return {
    attributes: { ...received.attributes() },
    data: sameJson ? data : Buffer.from(received.body ?? []).toString('utf8'),
  };
}
