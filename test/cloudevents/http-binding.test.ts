import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeBatch,
  decodeHttp,
  decodeHttpEvents,
  decodeStructured,
  encodeBatch,
  encodeBinary,
  encodeStructured,
  EventFault,
  EventMessage,
  eventOrThrow,
  eventToJson,
  isEvent,
  modeOfHeaders,
  type AttributeValue,
  type DecodeOptions,
} from '../../src/cloudevents/index.ts';

const required = ['ce-specversion', '1.0', 'ce-id', '1', 'ce-source', '/s', 'ce-type', 't'];

function faultOf(result: unknown): EventFault {
  if (!(result instanceof EventFault)) throw new Error('no fault');
  return result;
}

const decodeText = (json: string, options?: DecodeOptions): EventMessage | EventFault =>
  decodeStructured(Buffer.from(json), options);

describe('header values', () => {
  it('takes raw UTF-8 as node:http hands it out, and percent-encoded UTF-8', () => {
    const wire = Buffer.from('Grüße 日本', 'utf8').toString('latin1');
    expect(eventOrThrow(decodeHttp([...required, 'ce-subject', wire], undefined)).subject).toBe('Grüße 日本');
    expect(eventOrThrow(decodeHttp([...required, 'CE-Subject', 'Gr%C3%BC%C3%9Fe'], undefined)).subject).toBe('Grüße');
  });

  it.each(['%C0%A0', '%FF', 'a%80b', '\xff'])('refuses %j, which is not UTF-8, and takes it as upstream', (value) => {
    const fault = faultOf(decodeHttp([...required, 'ce-subject', value], undefined));
    expect(fault).toMatchObject({ code: 'CLOUDEVENTS_ENCODING', attribute: 'subject' });
    expect(eventOrThrow(decodeHttp([...required, 'ce-subject', value], undefined, { as: 'upstream' })).subject).toBe(value);
  });

  it('writes raw UTF-8 for upstream, and never a header that cannot be sent', () => {
    const event = new EventMessage({
      id: '1',
      source: '/s',
      type: 't',
      subject: 'Grüße 100%\r\nx',
      datacontenttype: 'a\r\nb: c',
    });
    const { rawHeaders } = encodeBinary(event, { as: 'upstream' });
    const subject = rawHeaders[rawHeaders.indexOf('ce-subject') + 1] ?? '';
    expect(Buffer.from(subject, 'latin1').toString('utf8')).toBe('Grüße 100%%0D%0Ax');
    expect(rawHeaders.every((value) => /^[\x20-\xff]*$/.test(value))).toBe(true);
    expect(encodeBinary(event).rawHeaders.every((value) => /^[\x20-\x7e]*$/.test(value))).toBe(true);
  });
});

describe('faults', () => {
  it.each([
    [['ce-my-ext', 'x'], 'CLOUDEVENTS_ATTRIBUTE_NAME', 'my-ext'],
    [['ce-', 'x'], 'CLOUDEVENTS_ATTRIBUTE_NAME', ''],
    [['ce-data', 'x'], 'CLOUDEVENTS_ATTRIBUTE_NAME', 'data'],
    [['ce-id', '2'], 'CLOUDEVENTS_ATTRIBUTE_REPEATED', 'id'],
    [['ce-ext', '1', 'ce-ext', '2'], 'CLOUDEVENTS_ATTRIBUTE_REPEATED', 'ext'],
    [['ce-time', 'soon'], 'CLOUDEVENTS_ATTRIBUTE_VALUE', 'time'],
    [['ce-dataschema', 'x/y'], 'CLOUDEVENTS_ATTRIBUTE_VALUE', 'dataschema'],
  ])('of %j name the attribute', (more, code, attribute) => {
    const fault = faultOf(decodeHttp([...required, ...more], undefined));
    expect(fault).toMatchObject({ code, attribute });
    expect(fault.toError()).toMatchObject({ code, status: 400, path: attribute, message: fault.message });
  });

  it.each([
    ['{', 'CLOUDEVENTS_JSON'],
    ['[]', 'CLOUDEVENTS_JSON'],
    ['null', 'CLOUDEVENTS_JSON'],
    ['{"specversion":"1.0","id":"1","source":"/s","type":"t","__proto__":"x"}', 'CLOUDEVENTS_ATTRIBUTE_NAME'],
    ['{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"AAE"}', 'CLOUDEVENTS_DATA'],
    [
      `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
      'CLOUDEVENTS_TOO_DEEP',
    ],
  ])('of structured mode, row %#', (text, code) => {
    expect(faultOf(decodeText(text)).code).toBe(code);
  });

  it('say which event of a batch is wrong', () => {
    const good = '{"specversion":"1.0","id":"1","source":"/s","type":"t"}';
    const fault = faultOf(decodeBatch(Buffer.from(`[${good},{"specversion":"1.0"}]`)));
    expect(fault).toMatchObject({ index: 1, attribute: 'id' });
    expect(fault.message).toContain('event 1 of the batch');
  });

  it('bound sizes: body, extensions, what is shown of a value', () => {
    const large = Buffer.alloc(101);
    expect(faultOf(decodeHttp(required, large, { bodyBytesMax: 100 })).code).toBe('CLOUDEVENTS_TOO_LARGE');
    expect(faultOf(decodeHttp(required, large, { bodyBytesMax: 100 })).toError().status).toBe(413);
    const many = Array.from({ length: 300 }, (_, i) => [`ce-e${i}`, 'x']).flat();
    expect(faultOf(decodeHttp([...required, ...many], undefined)).code).toBe('CLOUDEVENTS_TOO_LARGE');
    const members = Array.from({ length: 300 }, (_, i) => `"e${i}":1`).join();
    const json = `{"specversion":"1.0","id":"1","source":"/s","type":"t",${members}}`;
    expect(faultOf(decodeText(json)).code).toBe('CLOUDEVENTS_TOO_LARGE');
    expect(faultOf(decodeText(json, { as: 'upstream' })).code).toBe('CLOUDEVENTS_TOO_LARGE');
    expect(faultOf(decodeHttp([...required, 'ce-time', 'x'.repeat(10_000)], undefined)).message.length).toBeLessThan(400);
  });
});

describe('modes', () => {
  it('are told by the headers alone', () => {
    expect(modeOfHeaders(required)).toBe('binary');
    expect(modeOfHeaders(['Content-Type', ' Application/CloudEvents+JSON; charset=utf-8'])).toBe('structured');
    expect(modeOfHeaders(['content-type', 'application/cloudevents-batch+json'])).toBe('batch');
    expect(modeOfHeaders(['content-type', 'application/cloudevents+xml'])).toBe('unsupported');
    expect(modeOfHeaders(['content-type', 'application/json'])).toBeUndefined();
    expect(isEvent(required)).toBe(true);
    expect(isEvent(['content-type', 'application/cloudevents-batch+json'])).toBe(false);
  });

  it('all decode with decodeHttpEvents', () => {
    const event = eventOrThrow(decodeHttp(required, Buffer.from('x')));
    const { rawHeaders, body } = encodeBatch([event, event]);
    expect(eventOrThrow(decodeHttpEvents(rawHeaders, body))).toHaveLength(2);
    expect(eventOrThrow(decodeHttpEvents(required, undefined))).toHaveLength(1);
    expect(faultOf(decodeHttp(rawHeaders, body)).code).toBe('CLOUDEVENTS_FORMAT');
    expect(eventOrThrow(decodeHttpEvents(...headersAndBody(encodeBatch([]))))).toEqual([]);
  });

  function headersAndBody(encoded: { rawHeaders: string[]; body: Uint8Array | undefined }): [string[], Uint8Array | undefined] {
    return [encoded.rawHeaders, encoded.body];
  }
});

describe('JSON bytes', () => {
  const typed = (datacontenttype: string, body: Uint8Array): EventMessage =>
    new EventMessage({ id: '1', source: '/s', type: 't', datacontenttype, body });
  const structured = (event: EventMessage): string => Buffer.from(encodeStructured(event).body ?? []).toString('utf8');

  it('go into structured mode and batches as they were written', () => {
    const event = typed('application/json', Buffer.from('{"n": 12345678901234567890, "n": 1.0}'));
    expect(structured(event)).toContain('"data":{"n": 12345678901234567890, "n": 1.0}}');
    expect(Buffer.from(encodeBatch([event]).body ?? []).toString()).toBe(`[${structured(event)}]`);
  });

  it.each([
    ['application/json', '{"a":'],
    ['application/json', '1,"id":"2"'],
    ['text/plain; charset=iso-8859-1', 'a'],
    ['image/png', '{}'],
  ])('that are not plain JSON or UTF-8 text go as Base64: %s %s', (type, text) => {
    const event = typed(type, Buffer.from(text));
    const received = eventOrThrow(decodeText(structured(event)));
    expect(structured(event)).toContain('"data_base64"');
    expect(received.id).toBe('1');
    expect(Buffer.from(received.body ?? []).toString()).toBe(text);
  });
});

describe('as upstream', () => {
  const upstream = { as: 'upstream' } as const;
  const decode = (more: string[]): EventMessage | EventFault => decodeHttp([...required, ...more], undefined, upstream);

  it.each([
    ['2026-03-04T05:06:07.500+02:00', '2026-03-04T03:06:07.5Z'],
    ['2026-03-04T00:06:07.000000001+01:00', '2026-03-03T23:06:07.000000001Z'],
    ['2026-03-04T05:06:07Z', '2026-03-04T05:06:07Z'],
    ['2026-03-04T5:06:07,5Z', '2026-03-04T05:06:07.5Z'],
    ['9999-12-31T23:59:59-01:00', '10000-01-01T00:59:59Z'],
    ['0001-01-01T00:00:00Z', undefined],
  ])('writes the time %s in UTC', (time, written) => {
    expect(eventOrThrow(decode(['ce-time', time])).time).toBe(written);
  });

  it.each([
    ['a b', 'a%20b'],
    ['HTTP://Host/a', 'http://Host/a'],
    ['/a%20b', '/a%20b'],
    ['urn:uuid:6e8bc430', 'urn:uuid:6e8bc430'],
    ['https://h:8080/a?q=x y#f', 'https://h:8080/a?q=x y#f'],
    ['/ü', '/%C3%BC'],
    ['http://u@v@h/', 'http://u%40v@h/'],
    ['http://', 'http:'],
    ['x#', 'x'],
  ])('writes the source %s as %s', (source, written) => {
    const json = JSON.stringify({ specversion: '1.0', id: '1', type: 't', source });
    expect(eventOrThrow(decodeText(json, upstream)).source).toBe(written);
  });

  it.each([':x', '1:2', 'http://[x/', 'http://h:x/', '/%zz', 'a\u0001'])('refuses the source %j', (source) => {
    const json = JSON.stringify({ specversion: '1.0', id: '1', type: 't', source });
    expect(faultOf(decodeText(json, upstream)).attribute).toBe('source');
  });

  it.each([
    ['text/plain; charset=utf-8', true],
    ['a/b; x=1; x=2', false],
    ['foo bar', false],
    ['text/plain;', true],
  ])('judges the media type %s: %s', (type, valid) => {
    expect(decode(['content-type', type]) instanceof EventFault).toBe(!valid);
  });

  it('leaves the escapes of a source in a header alone', () => {
    const headers = ['ce-specversion', '1.0', 'ce-id', '1', 'ce-type', 't', 'ce-source', '/a%2Fb'];
    expect(eventOrThrow(decodeHttp(headers, undefined, upstream)).source).toBe('/a%2Fb');
    expect(eventOrThrow(decodeHttp(headers, undefined)).source).toBe('/a/b');
  });

  it('takes 0.3 with its way of Base64, and writes it back', () => {
    const json = {
      specversion: '0.3',
      id: '1',
      source: '/s',
      type: 't',
      schemaurl: '/x',
      datacontenttype: 'image/png',
      datacontentencoding: 'base64',
      data: 'AAH/',
    };
    const event = eventOrThrow(decodeText(JSON.stringify(json), upstream));
    expect(Buffer.from(event.body ?? []).toString('base64')).toBe('AAH/');
    expect(eventToJson(event)).toEqual(json);
  });

  it('leaves out the validation when asked to, as the filter does', () => {
    const bare = ['ce-specversion', '1.0', 'ce-type', 't'];
    expect(faultOf(decodeHttp(bare, undefined, upstream)).code).toBe('CLOUDEVENTS_ATTRIBUTE_MISSING');
    const event = eventOrThrow(decodeHttp(bare, undefined, { ...upstream, requireAttributes: false }));
    expect(event).toMatchObject({ id: '', source: '', type: 't' });
  });
});

const reserved = new Set('specversion id source type subject time datacontenttype dataschema data'.split(' '));
const name = fc.stringMatching(/^[a-z0-9]{1,20}$/).filter((text) => !reserved.has(text));
const text = fc.string({ minLength: 1, unit: 'binary' }).map((value) => value.toWellFormed());
const attribute = fc.oneof(text, fc.boolean(), fc.integer({ min: -0x80000000, max: 0x7fffffff }));
const event = fc
  .record({
    id: text,
    type: text,
    source: fc.webUrl(),
    subject: fc.option(text, { nil: undefined }),
    extensions: fc.dictionary(name, attribute, { maxKeys: 8 }),
    data: fc.oneof(fc.constant(undefined), fc.jsonValue(), fc.uint8Array({ minLength: 1 })),
  })
  .map(({ extensions, data, ...fields }) => {
    const pairs: (string | AttributeValue)[] = Object.entries(extensions).flat();
    const datacontenttype = data instanceof Uint8Array ? 'application/octet-stream' : 'application/json';
    return new EventMessage({ ...fields, extensions: pairs, datacontenttype, data });
  });

const shown = (value: EventMessage): unknown => JSON.parse(JSON.stringify(eventToJson(value)));

describe('properties', () => {
  it('structured mode and batches lose nothing', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 3 }), (events) => {
        for (const item of events) expect(shown(eventOrThrow(decodeHttp(...pair(encodeStructured(item)))))).toEqual(shown(item));
        expect(eventOrThrow(decodeHttpEvents(...pair(encodeBatch(events)))).map(shown)).toEqual(events.map(shown));
      }),
    );
  });

  it('binary mode loses the types of extensions alone', () => {
    fc.assert(
      fc.property(event, (item) => {
        const received = eventOrThrow(decodeHttp(...pair(encodeBinary(item))));
        const wanted = item.with(
          Object.fromEntries(Object.entries(item.attributes()).map(([key, value]) => [key, String(value)])),
        );
        expect(shown(received)).toEqual(shown(wanted));
      }),
    );
  });

  function pair({
    rawHeaders,
    body,
  }: {
    rawHeaders: string[];
    body: Uint8Array | undefined;
  }): [string[], Uint8Array | undefined] {
    return [rawHeaders, body];
  }

  it('no headers and no bytes make the decoder throw, and a decoded event can be encoded', () => {
    const headerName = fc.oneof(
      fc.constantFrom(
        'ce-id',
        'ce-source',
        'ce-type',
        'ce-specversion',
        'ce-time',
        'content-type',
        'ce-ext',
        'ce-',
        'ce-__proto__',
      ),
      fc.string(),
    );
    const headerValue = fc.oneof(
      fc.constantFrom('1.0', '0.3', '/s', 't', 'application/cloudevents+json'),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(headerName, headerValue), { maxLength: 12 }),
        fc.uint8Array(),
        fc.constantFrom<DecodeOptions>({}, { as: 'upstream' }, { as: 'upstream', requireAttributes: false }),
        (headers, body, options) => {
          const result = decodeHttp(headers.flat(), body, options);
          if (result instanceof EventFault) expect(result.toError().message).toBe(result.message);
          else for (const as of ['specification', 'upstream'] as const) encodeBinary(result, { as });
        },
      ),
      { numRuns: 1_000 },
    );
    expect(Object.prototype).not.toHaveProperty('polluted');
  });

  it('mutated real events are decoded or refused, never more', () => {
    const real = Buffer.from(
      JSON.stringify({
        specversion: '1.0',
        id: 'A-17',
        type: 'com.example.order.created',
        source: '/orders/eu/1',
        subject: 'Grüße',
        time: '2026-03-04T05:06:07Z',
        hops: 5,
        urgent: true,
        datacontenttype: 'application/json',
        data: { a: [1, { b: null }] },
      }),
    );
    const edit = fc.record({ at: fc.nat(real.length - 1), byte: fc.nat(255), cut: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), fc.boolean(), (edits, asUpstream) => {
        let bytes = Buffer.from(real);
        for (const { at, byte, cut } of edits)
          bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at + cut)]);
        const result = decodeStructured(bytes, asUpstream ? { as: 'upstream' } : {});
        if (result instanceof EventFault) return;
        const again = decodeStructured(encodeStructured(result).body ?? Buffer.alloc(0), asUpstream ? { as: 'upstream' } : {});
        expect(shown(eventOrThrow(again))).toEqual(shown(result));
      }),
      { numRuns: 1_000 },
    );
  });
});
