// Claims: a binary event is decoded and fully validated at least 10 times as fast as by the Go SDK and 60 times as fast as by the npm
// package; a structured one costs at most 1.3 times JSON.parse of its bytes. Event 7 of GO-BASELINE.md section 1, data of 256 bytes.
import { HTTP, type CloudEvent } from 'cloudevents';
import type { EventFault } from '../src/cloudevents/index.ts';
import {
  decodeBatch,
  decodeHttp,
  encodeBatch,
  encodeBinary,
  encodeStructured,
  eventOrThrow,
  type EventMessage,
} from '../src/cloudevents/index.ts';
import { cpuNs, cpuNsInBatches, formatTable, ns, times } from './cloudevents.measure.ts';

/** CPU ns per operation of the Go SDK v2.16.1, recorded (GO-BASELINE.md section 3). */
const recordedGo = { decodeBinary: 2_772, decodeStructured: 8_905, encodeBinary: 1_956, encodeStructured: 5_598 };

const headers = [
  ['ce-specversion', '1.0'],
  ['ce-id', 'id-7'],
  ['ce-type', 'com.example.type.7'],
  ['ce-source', '/src/7'],
  ['ce-subject', 'file-7.json'],
  ['ce-region', 'eu'],
  ['content-type', 'application/json'],
];
const body = Buffer.from(`{"p":"${'x'.repeat(248)}"}`);
const rawHeaders = headers.flat();
const event = take(decodeHttp(rawHeaders, body));
const structuredBody = encodeStructured(event).body ?? body;
const structuredHeaders = ['content-type', 'application/cloudevents+json'];
const batch = encodeBatch(Array.from({ length: 100 }, () => event)).body ?? body;

function take(result: EventMessage | EventFault): EventMessage {
  return eventOrThrow(result);
}

// As the socket brings them: strings that no table has seen. One set for each call of a round.
const wire = Buffer.from(rawHeaders.join('\0'), 'latin1');
const freshCalls = 250;
const freshBatches = 400;
let fresh: string[][] = [];
function makeFresh(): void {
  fresh = Array.from({ length: freshCalls }, () => {
    const strings: string[] = [];
    let start = 0;
    for (let end = 0; end <= wire.length; end++) {
      if (end < wire.length && wire[end] !== 0) continue;
      strings.push(wire.toString('latin1', start, end));
      start = end + 1;
    }
    return strings;
  });
}

const upstream = { as: 'upstream' } as const;
let sink: unknown;
const calls = 300_000;
const decodeFresh = cpuNsInBatches(freshBatches, freshCalls, (i) => (sink = decodeHttp(fresh[i] ?? rawHeaders, body)), makeFresh);
const decodeUpstream = cpuNsInBatches(
  freshBatches,
  freshCalls,
  (i) => (sink = decodeHttp(fresh[i] ?? rawHeaders, body, upstream)),
  makeFresh,
);
const decodeSame = cpuNs(calls, () => (sink = decodeHttp(rawHeaders, body)));
const decodeWithData = cpuNs(calls, () => (sink = take(decodeHttp(rawHeaders, body)).data()));
const parseAlone = cpuNs(calls, () => (sink = JSON.parse(structuredBody.toString('utf8')) as unknown));
const decodeStructuredNs = cpuNs(calls, () => (sink = decodeHttp(structuredHeaders, structuredBody)));
const encodeBinaryNs = cpuNs(calls, () => (sink = encodeBinary(event)));
const encodeStructuredNs = cpuNs(calls, () => (sink = encodeStructured(event)));
const decodeBatchNs = cpuNs(calls / 100, () => (sink = decodeBatch(batch))) / 100;
const events = eventOrThrow(decodeBatch(batch));
const encodeBatchNs = cpuNs(calls / 100, () => (sink = encodeBatch(events))) / 100;

const npmHeaders = Object.fromEntries(headers) as Record<string, string>;
const npmBody = body.toString('utf8');
const npmStructured = structuredBody.toString('utf8');
const npmEvent = HTTP.toEvent({ headers: npmHeaders, body: npmBody }) as CloudEvent<unknown>;
const npmCalls = 10_000;
const npmDecode = (head: Record<string, string>, text: string): void => {
  sink = (HTTP.toEvent({ headers: head, body: text }) as CloudEvent<unknown>).validate();
};
const npmDecodeBinary = cpuNs(npmCalls, () => npmDecode(npmHeaders, npmBody));
const npmDecodeStructured = cpuNs(npmCalls, () => npmDecode({ 'content-type': 'application/cloudevents+json' }, npmStructured));
const npmEncodeBinary = cpuNs(npmCalls, () => (sink = HTTP.binary(npmEvent)));
const npmEncodeStructured = cpuNs(npmCalls, () => (sink = HTTP.structured(npmEvent)));

const row = (name: string, own: number, go?: number, npm?: number, goal = ''): string[] => [
  name,
  ns(own),
  go === undefined ? '' : `${go} (${times(go / own)})`,
  npm === undefined ? '' : `${ns(npm)} (${times(npm / own)})`,
  goal,
];
console.log(
  formatTable(
    ['operation', 'CPU ns', 'Go, recorded', 'npm `cloudevents`, same run', 'goal'],
    [
      row('decode binary, validated, fresh strings', decodeFresh, recordedGo.decodeBinary, npmDecodeBinary, '10 × Go, 60 × npm'),
      row('decode binary, as upstream, fresh strings', decodeUpstream, recordedGo.decodeBinary, npmDecodeBinary),
      row('decode binary, validated, same strings', decodeSame, recordedGo.decodeBinary, npmDecodeBinary),
      row('decode binary and parse the data', decodeWithData),
      row('JSON.parse of the structured bytes alone', parseAlone),
      row(
        `decode structured (${(decodeStructuredNs / parseAlone).toFixed(2)} × JSON.parse)`,
        decodeStructuredNs,
        recordedGo.decodeStructured,
        npmDecodeStructured,
        '1.3 × JSON.parse',
      ),
      row('encode binary', encodeBinaryNs, recordedGo.encodeBinary, npmEncodeBinary, '12 × Go'),
      row('encode structured', encodeStructuredNs, recordedGo.encodeStructured, npmEncodeStructured, '6.5 × Go'),
      row('decode a batch of 100, per event', decodeBatchNs),
      row('encode a batch of 100, per event', encodeBatchNs),
    ],
  ),
);
if (sink === undefined) throw new Error('nothing was measured');
