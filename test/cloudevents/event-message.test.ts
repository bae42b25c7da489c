import { CloudEvent } from 'cloudevents';
import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../src/clock.ts';
import {
  createEvent,
  decodeHttp,
  encodeBinary,
  EventMessage,
  eventOrThrow,
  eventToJson,
  fromCloudEvent,
  toCloudEvent,
  toEventMessage,
} from '../../src/cloudevents/index.ts';
import { KnativeError } from '../../src/errors.ts';
import { createRandom } from '../../src/random.ts';

const minimal = { id: '1', source: '/s', type: 't' };

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return KnativeError.is(error) ? error.code : `not ours: ${String(error)}`;
  }
}

describe('EventMessage', () => {
  it.each([
    ['application/json', '{"a":1}', { a: 1 }],
    ['application/vnd.acme+json; charset=utf-8', '5', 5],
    ['text/plain', 'hällo', 'hällo'],
    ['application/xml', '<a/>', '<a/>'],
  ])('hands out data of %s as a value', (datacontenttype, text, value) => {
    const event = new EventMessage({ ...minimal, datacontenttype, body: Buffer.from(text) });
    expect(event.data()).toEqual(value);
    expect(event.body).toEqual(Buffer.from(text));
  });

  it('decodes text by its charset, and keeps bytes of other types and of none', () => {
    const bytes = Buffer.from([0xe4]);
    expect(new EventMessage({ ...minimal, datacontenttype: 'text/plain; charset=iso-8859-1', body: bytes }).data()).toBe('ä');
    expect(new EventMessage({ ...minimal, datacontenttype: 'image/png', body: bytes }).data()).toBe(bytes);
    expect(new EventMessage({ ...minimal, body: bytes }).data()).toBe(bytes);
  });

  it.each([
    ['application/json', Buffer.from('{')],
    ['application/json', Buffer.from([0xff])],
    ['text/plain', Buffer.from([0xff])],
    ['text/plain; charset=nonsense', Buffer.from('a')],
  ])('says what is wrong with data of %s', (datacontenttype, body) => {
    expect(codeOf(() => new EventMessage({ ...minimal, datacontenttype, body }).data())).toBe('CLOUDEVENTS_DATA');
  });

  it('writes values as bytes by their content type', () => {
    const body = (data: unknown, datacontenttype?: string): string =>
      Buffer.from(new EventMessage({ ...minimal, datacontenttype, data }).body ?? []).toString('utf8');
    expect(body({ a: 1 }, 'text/plain')).toBe('{"a":1}');
    expect(body('x', 'text/plain')).toBe('x');
    expect(body('x', 'application/json')).toBe('"x"');
    expect(body('x')).toBe('"x"');
    expect(body(null)).toBe('null');
    expect(new EventMessage(minimal).body).toBeUndefined();
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    expect(codeOf(() => body(cyclic))).toBe('CLOUDEVENTS_DATA');
    expect(codeOf(() => body(() => 1))).toBe('CLOUDEVENTS_DATA');
  });

  it('copies with changes and leaves the original alone', () => {
    const event = new EventMessage({ ...minimal, subject: 'a', extensions: ['ext', 'x', 'n', 5], data: { a: 1 } });
    const copy = event.with({ id: '2', subject: undefined, ext: undefined, n: 6, fresh: true });
    expect({ ...copy.attributes() }).toEqual({ specversion: '1.0', id: '2', source: '/s', type: 't', n: 6, fresh: true });
    expect(copy.data()).toEqual({ a: 1 });
    expect(event.attribute('ext')).toBe('x');
    expect(event.withData('text', 'text/plain').data()).toBe('text');
    expect(event.withData(undefined).hasData).toBe(false);
  });

  it.each([[{ 'my-ext': 'x' }], [{ data: 'x' }], [{ ['__proto__']: 'x' }], [{ '': 'x' }]])(
    'refuses the names of %j',
    (changes) => {
      expect(codeOf(() => new EventMessage(minimal).with(changes))).toMatch(/^CLOUDEVENTS_ATTRIBUTE_NAME$/);
    },
  );

  it('refuses to lose what is required', () => {
    expect(codeOf(() => new EventMessage(minimal).with({ id: undefined }))).toBe('CLOUDEVENTS_ATTRIBUTE_VALUE');
    expect(codeOf(() => new EventMessage(minimal).with({ time: 5 }))).toBe('CLOUDEVENTS_ATTRIBUTE_VALUE');
  });
});

describe('createEvent', () => {
  const options = { clock: createVirtualClock(0), random: createRandom(1) };

  it('fills in id, time and content type', () => {
    const event = createEvent({ source: '/s', type: 't', data: { a: 1 }, extensions: { ext: 1 } }, options);
    expect(event.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(event.time).toBe('1970-01-01T00:00:00.000Z');
    expect(event.datacontenttype).toBe('application/json');
    expect(createEvent({ source: '/s', type: 't', time: null, data: 'x' }, options)).toMatchObject({
      time: undefined,
      datacontenttype: 'text/plain',
    });
  });

  it.each([
    [{ source: 'a b', type: 't' }, 'source'],
    [{ source: '', type: 't' }, 'source'],
    [{ source: '/s', type: '' }, 'type'],
    [{ source: '/s', type: 't', subject: '' }, 'subject'],
    [{ source: '/s', type: 't', time: 'soon' }, 'time'],
    [{ source: '/s', type: 't', dataschema: 'x/y' }, 'dataschema'],
    [{ source: '/s', type: 't', extensions: { n: 1.5 } }, 'n'],
    [{ source: '/s', type: 't', extensions: { my_ext: 1 } }, 'my_ext'],
  ])('names what is wrong with %j', (fields, path) => {
    expect(() => createEvent(fields, options)).toThrow(expect.objectContaining({ path, status: 400 }));
  });
});

describe('the npm package', () => {
  it('gets every attribute and gives it back, typed', () => {
    const event = new EventMessage({
      ...minimal,
      subject: 'sub',
      time: '2026-03-04T05:06:07.123Z',
      dataschema: 'https://a.example/s',
      datacontenttype: 'application/json',
      extensions: ['text', 'x', 'n', 5, 'flag', true, 'averyveryverylongname', 'x'],
      data: { a: [1] },
    });
    const cloudEvent = toCloudEvent(event);
    expect(cloudEvent).toBeInstanceOf(CloudEvent);
    expect(eventToJson(fromCloudEvent(cloudEvent))).toEqual(eventToJson(event));
  });

  it.each([
    ['application/json', '{'],
    ['text/plain; charset=iso-8859-1', '\xe4'],
  ])('keeps data of %s that are no text or JSON', (datacontenttype, text) => {
    const body = Buffer.from(text, 'latin1');
    const back = fromCloudEvent(toCloudEvent(new EventMessage({ ...minimal, datacontenttype, body })));
    expect(Buffer.from(back.body ?? []).equals(body)).toBe(true);
  });

  it('keeps bytes, and the absence of a time and of data', () => {
    const bytes = Buffer.from([0, 1, 255]);
    const binary = fromCloudEvent(toCloudEvent(new EventMessage({ ...minimal, datacontenttype: 'image/png', body: bytes })));
    expect(Buffer.from(binary.body ?? []).equals(bytes)).toBe(true);
    const bare = fromCloudEvent(toCloudEvent(new EventMessage(minimal)));
    expect(bare.time).toBeUndefined();
    expect(bare.hasData).toBe(false);
  });

  it('is accepted as a class and as a plain object', () => {
    const cloudEvent = new CloudEvent({ source: '/s', type: 't', data: { a: 1 }, ext: 'x' });
    const message = toEventMessage(cloudEvent);
    expect(message.data()).toEqual({ a: 1 });
    expect(message.attribute('ext')).toBe('x');
    expect(message.time).toBe(cloudEvent.time);
    expect(toEventMessage(message)).toBe(message);
    expect(toEventMessage({ specversion: '1.0', ...minimal, data: 'x' }).data()).toBe('x');
    expect(codeOf(() => toEventMessage({ specversion: '1.0', ...minimal, source: 'a b' }))).toBe('CLOUDEVENTS_ATTRIBUTE_VALUE');
    expect(codeOf(() => toEventMessage({ specversion: '2.0', ...minimal }))).toBe('CLOUDEVENTS_SPECVERSION');
    expect(codeOf(() => toEventMessage({ specversion: '1.0', ...minimal, ext: { a: 1 } }))).toBe('CLOUDEVENTS_ATTRIBUTE_VALUE');
  });

  it('sends binary data as the bytes they are, other than the package itself', () => {
    const structured = { ...minimal, specversion: '1.0', datacontenttype: 'image/png', data_base64: 'AAH/' };
    const message = toEventMessage(new CloudEvent(structured));
    const { rawHeaders, body } = encodeBinary(message);
    expect(Buffer.from(body ?? []).toString('base64')).toBe('AAH/');
    expect(eventOrThrow(decodeHttp(rawHeaders, body)).datacontenttype).toBe('image/png');
  });
});
