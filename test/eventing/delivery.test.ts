import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { passedHeaders } from '../../src/cloudevents/delivery-headers.ts';
import { ingressStatus, routeIngress } from '../../src/cloudevents/delivery-ingress.ts';
import { parsePeriod } from '../../src/cloudevents/delivery-period.ts';
import { isRetried, parseRetryAfterMs, planRetries, retryPolicyOf, retryWaitMs } from '../../src/cloudevents/delivery-retry.ts';
import {
  admitEvent,
  deadLetterEvent,
  isDelivered,
  kindOfReply,
  nextTtl,
  withoutTtl,
  withTtlOf,
} from '../../src/cloudevents/delivery-rules.ts';
import { EventMessage, type AttributeValue } from '../../src/cloudevents/event-message.ts';
import { KnativeError } from '../../src/errors.ts';

const event = (extensions: Record<string, AttributeValue> = {}): EventMessage =>
  new EventMessage({ id: '1', type: 't', source: '/s', extensions: Object.entries(extensions).flat() });

describe('planRetries', () => {
  test('gives the times of each try as data', () => {
    expect(planRetries({ retry: 3, backoffPolicy: 'exponential', backoffDelay: 'PT1S', timeout: 'PT10S' })).toEqual([
      { attempt: 0, waitMs: 0, earliestMs: 0, latestMs: 0 },
      { attempt: 1, waitMs: 1_000, earliestMs: 1_000, latestMs: 11_000 },
      { attempt: 2, waitMs: 2_000, earliestMs: 3_000, latestMs: 23_000 },
      { attempt: 3, waitMs: 4_000, earliestMs: 7_000, latestMs: 37_000 },
    ]);
  });

  test('the first linear retry has no wait, and a try without timeout may take for ever', () => {
    expect(planRetries({ retry: 2, backoffPolicy: 'linear', backoffDelay: 'PT0.5S' })).toEqual([
      { attempt: 0, waitMs: 0, earliestMs: 0, latestMs: 0 },
      { attempt: 1, waitMs: 0, earliestMs: 0, latestMs: undefined },
      { attempt: 2, waitMs: 500, earliestMs: 500, latestMs: undefined },
    ]);
    expect(planRetries(undefined)).toHaveLength(1);
    expect(planRetries({ retry: -1 })).toHaveLength(1);
    expect(planRetries({ retry: 1_000_000 })).toHaveLength(1_000);
  });

  test('names the period that does not parse', () => {
    expect(() => retryPolicyOf({ backoffPolicy: 'linear', backoffDelay: '1s' })).toThrowError(
      expect.objectContaining({ code: 'CLOUDEVENTS_DELIVERY_PERIOD', path: 'delivery.backoffDelay' }),
    );
    expect(() => retryPolicyOf({ timeout: '' })).toThrowError(KnativeError);
  });
});

describe('Retry-After', () => {
  const nowMs = Date.parse('2015-10-21T07:27:00Z');
  test.each([
    ['120', 120_000],
    ['0', 0],
    ['-3', 0],
    ['1.5', 0],
    ['', 0],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 60_000],
    ['Wednesday, 21-Oct-15 07:28:00 GMT', 60_000],
    ['Wed Oct 21 07:28:00 2015', 60_000],
    ['Wed, 21 Oct 2015 07:26:00 GMT', 0],
    ['2015-10-21T07:28:00Z', 0],
    ['9'.repeat(500), 0],
  ])('%j asks for %d ms', (header, expected) => {
    expect(parseRetryAfterMs(header, nowMs)).toBe(expected);
  });

  test('counts for 429 and 503 only, up to the maximum', () => {
    const policy = retryPolicyOf({ retry: 3, backoffPolicy: 'linear', backoffDelay: 'PT1S', retryAfterMax: 'PT5S' });
    expect(retryWaitMs(policy, 1, { status: 429, retryAfter: '3' }, nowMs)).toBe(3_000);
    expect(retryWaitMs(policy, 1, { status: 503, retryAfter: '60' }, nowMs)).toBe(5_000);
    expect(retryWaitMs(policy, 1, { status: 500, retryAfter: '60' }, nowMs)).toBe(1_000);
    expect(retryWaitMs(policy, 9, { status: 429, retryAfter: '3' }, nowMs)).toBe(9_000);
    expect(retryWaitMs(policy, 1, 'noResponse', nowMs)).toBe(1_000);
  });

  test('what is retried', () => {
    const statuses = Array.from({ length: 500 }, (_, index) => 100 + index).filter((status) => isRetried({ status }));
    expect(statuses.filter((status) => status < 500)).toEqual([404, 408, 409, 429]);
    expect(statuses.filter((status) => status >= 500)).toHaveLength(100);
    expect(isRetried('noResponse')).toBe(true);
  });
});

test('no text makes the period parser throw or take long', () => {
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^[-+]?P[0-9YMWDTHS.,+-]{0,40}$/));
  fc.assert(
    fc.property(texts, (text) => {
      const period = parsePeriod(text);
      expect(typeof period === 'string' || Number.isFinite(period.milliseconds)).toBe(true);
    }),
  );
});

describe('dead letter', () => {
  test('tells who failed and how', () => {
    const failed = deadLetterEvent(event(), { destination: 'http://a.example/', status: 503, body: 'boom 503' });
    expect(failed.attributes()).toMatchObject({
      knativeerrordest: 'http://a.example/',
      knativeerrorcode: 503,
      knativeerrordata: 'Ym9vbSA1MDM=',
    });
  });

  test('keeps attributes that are there, empty data without body, cuts long bodies', () => {
    const again = deadLetterEvent(event({ knativeerrordest: 'http://old', knativeerrorcode: 418 }), {
      destination: 'x',
      status: 400,
    });
    expect(again.attributes()).toMatchObject({ knativeerrordest: 'http://old', knativeerrorcode: 418 });
    expect(again.extension('knativeerrordata')).toBe('');
    for (const length of [766, 767, 768, 769, 5_000]) {
      const body = new Uint8Array(length).fill(120);
      const data = deadLetterEvent(event(), { destination: 'x', status: 400, body }).extension('knativeerrordata');
      expect(data).toBe(Buffer.from(body).toString('base64').slice(0, 1_024));
    }
  });
});

describe('hop count', () => {
  test.each<[AttributeValue | undefined, number | undefined]>([
    [undefined, 255],
    ['abc', 255],
    ['', 255],
    [2, 1],
    ['2', 1],
    ['1', undefined],
    ['1.0', undefined],
    ['0', undefined],
    ['-1', undefined],
    ['300', 299],
    ['99999999999', 255],
  ])('%j is forwarded as %j', (value, expected) => {
    expect(nextTtl(event(value === undefined ? {} : { knativebrokerttl: value }))).toBe(expected);
  });

  test('travels with the event, not with what subscribers see', () => {
    const admitted = admitEvent(event({ knativearrivaltime: 'old' }), '2026-01-01T00:00:00Z');
    expect(admitted?.attributes()).toMatchObject({ knativebrokerttl: 255, knativearrivaltime: '2026-01-01T00:00:00Z' });
    expect(admitted && withoutTtl(admitted).extension('knativebrokerttl')).toBeUndefined();
    expect(admitEvent(event({ knativebrokerttl: 1 }), '')).toBeUndefined();
    expect(admitEvent(event(), '', 0)).toBeUndefined();
    expect(withTtlOf(event({ knativebrokerttl: 9 }), event({ knativebrokerttl: '7' })).extension('knativebrokerttl')).toBe('7');
    expect(withTtlOf(event({ knativebrokerttl: 9 }), event()).extension('knativebrokerttl')).toBeUndefined();
  });
});

test('headers that are passed on', () => {
  const headers = [
    'X-Request-Id',
    'r',
    'traceparent',
    't',
    'KNATIVE-x',
    'k',
    'X-B3-TraceId',
    'b',
    'Authorization',
    'a',
    'Retry-After',
    '1',
  ];
  expect(passedHeaders([...headers, 'kn-namespace', 'n', 'Prefer', 'reply', 'odd'])).toEqual([
    ...['X-Request-Id', 'r', 'KNATIVE-x', 'k', 'X-B3-TraceId', 'b', 'Retry-After', '1'],
  ]);
});

test('replies', () => {
  expect(kindOfReply(['ce-specversion', '1.0'], 0)).toBe('event');
  expect(kindOfReply(['Content-Type', 'application/cloudevents+json'], 10)).toBe('event');
  expect(kindOfReply(['content-type', 'text/plain'], 10)).toBe('notAnEvent');
  expect(kindOfReply([], 0)).toBe('nothing');
  expect([199, 200, 202, 299, 300, 304].filter(isDelivered)).toEqual([200, 202, 299]);
});

describe('ingress', () => {
  test.each<[string, string, unknown]>([
    ['POST', '/ns/b', { namespace: 'ns', name: 'b' }],
    ['POST', '/ns/b/', { namespace: 'ns', name: 'b' }],
    ['POST', '/ns//', { namespace: 'ns', name: '' }],
    ['POST', '/ns/b?x=1', { namespace: 'ns', name: 'b?x=1' }],
    ['POST', '/ns/b/?x=1', { status: 400, rawHeaders: ['Allow', 'POST, OPTIONS'] }],
    ['POST', '/ns', { status: 400, rawHeaders: ['Allow', 'POST, OPTIONS'] }],
    ['POST', '/', { status: 404, rawHeaders: ['Allow', 'POST, OPTIONS'] }],
    ['GET', '/ns/b', { status: 405, rawHeaders: ['Allow', 'POST, OPTIONS'] }],
    [
      'OPTIONS',
      '/',
      { status: 200, rawHeaders: ['Allow', 'POST, OPTIONS', 'WebHook-Allowed-Origin', '*', 'WebHook-Allowed-Rate', '*'] },
    ],
  ])('%s %s', (method, target, expected) => {
    expect(routeIngress(method, target)).toEqual(expected);
  });

  test('statuses', () => {
    const outcomes = ['notAnEvent', 'invalidEvent', 'ttlExhausted', 'unknownBroker', 'notReady', 'failed'] as const;
    expect(outcomes.map((outcome) => ingressStatus(outcome))).toEqual([400, 400, 400, 404, 500, 500]);
    expect([202, 204, 302, 400, 429].map((accepted) => ingressStatus({ accepted }))).toEqual([202, 204, 500, 500, 500]);
  });
});
