import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventMessage, type AttributeValue } from '../../../src/cloudevents/index.ts';
import { decodeEnvelope, decodeParked, encodeEnvelope, encodeParked } from '../../../src/eventing/logs/envelope.ts';
import { decodeEvent, encodeEvent } from '../../../src/eventing/logs/event-codec.ts';
import { loadClient } from '../../../src/eventing/logs/load-client.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 300 });
const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.uint8Array({ maxLength: 40 }),
);
const data = fc.oneof(
  fc.record({ body: fc.uint8Array({ maxLength: 200 }) }),
  fc.record({ data: fc.jsonValue() }),
  fc.constant({}),
);
const events = fc
  .tuple(
    fc.record({ id: text, source: text, type: text, specversion: fc.constantFrom<'1.0' | '0.3'>('1.0', '0.3') }),
    fc.record({ subject: text, time: text, datacontenttype: text, dataschema: text }, { requiredKeys: [] }),
    fc.array(fc.tuple(text, value), { maxLength: 4 }),
    data,
  )
  .map(([required, optional, extensions, content]) => {
    return new EventMessage({ ...required, ...optional, extensions: extensions.flat(), ...content });
  });

test('an event is read as it was written: attributes with their types, data in their form', () => {
  fc.assert(
    fc.property(events, fc.array(text, { maxLength: 6 }), (event, headers) => {
      const { event: back, rawHeaders } = decodeEvent(encodeEvent(event, headers));
      expect({ ...back.attributes() }).toEqual({ ...event.attributes() });
      expect(back.extensions).toEqual(event.extensions);
      expect(rawHeaders).toEqual(headers);
      expect([back.hasData, back.hasValue]).toEqual([event.hasData, event.hasValue]);
      if (event.hasValue) expect(JSON.stringify(back.data())).toBe(JSON.stringify(event.data()));
      else expect(back.body === undefined ? undefined : [...back.body]).toEqual(event.body && [...event.body]);
    }),
  );
});

test('envelopes and parked events carry what is beside the event', () => {
  const event = new EventMessage({ id: '1', source: '/', type: 't', data: { a: 1 } });
  const shares = [{ name: 'a "quoted" name', share: 'x-1' }];
  expect(decodeEnvelope(encodeEnvelope(event, ['h', 'v'], { timeMs: 1.5e12, position: 7, shares }))).toMatchObject({
    timeMs: 1.5e12,
    position: 7,
    shares,
    rawHeaders: ['h', 'v'],
  });
  const meta = { destination: 'd', status: 404, message: 'm\u0000', attempts: 3, trigger: 't', timeMs: 5 };
  expect(decodeParked(encodeParked(meta, event, []))).toMatchObject(meta);
});

test('bytes that are no event are told, whatever they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        decodeEvent(bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^EVENTING_LOG_(DAMAGED|FORMAT)$/) });
      }
    }),
  );
});

test('a client that is not installed is named', async () => {
  const load = () => Promise.reject(new Error('Cannot find package'));
  await expect(loadClient(load, 'amqplib')).rejects.toMatchObject({
    code: 'EVENTING_CLIENT_MISSING',
    hint: 'install it: npm install amqplib',
  });
});
