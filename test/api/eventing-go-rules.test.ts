import { describe, expect, test } from 'vitest';
import { upstreamCesqlError } from '../../src/api/eventing/upstream-cesql-error.ts';
import { formatGoUrl, parseGoUrl, resolveGoUrl } from '../../src/api/duck/go-url.ts';
import { triggers } from '../../src/api/eventing/trigger.ts';
import { errorText, noErrors } from '../../src/api/field-errors.ts';
import { sequences } from '../../src/api/flows/sequence.ts';
import type { AdmissionContext, Kind } from '../../src/api/kind.ts';
import { subscriptions } from '../../src/api/messaging/subscription.ts';
import type { Resource } from '../../src/api/resource.ts';
import { sinkBindings } from '../../src/api/sources/sink-binding.ts';
import { pingSources } from '../../src/api/sources/ping-source.ts';
import { strictDecode } from '../../src/api/strict-decode.ts';

function errorsOf<R extends Resource>(kind: Kind<R>, object: object, context: AdmissionContext = {}): string {
  const { value } = strictDecode<R>(kind.schema, { metadata: { name: 'o', namespace: 'here' }, ...object });
  return errorText(kind.validate?.(value, context) ?? noErrors);
}

describe('URLs are read and printed as Go does it', () => {
  test.each([
    ['HTTP://Host/a b(c)', 'http://Host/a%20b%28c%29'],
    ['http://é.test/(ok)', 'http://%C3%A9.test/(ok)'],
    ['http://', 'http:'],
    ['file:/x', 'file:/x'],
    ['file:///x', 'file:///x'],
    ['mailto:me@here', 'mailto:me@here'],
    ['http://me:p%40ss@h/', 'http://me:p%40ss@h/'],
    ['./a:b', './a:b'],
    ['x?', 'x?'],
    ['http://[::1]:80/', 'http://[::1]:80/'],
  ])('%j', (text, printed) => {
    const url = parseGoUrl(text);
    expect(typeof url === 'string' ? url : formatGoUrl(url)).toBe(printed);
  });

  test.each(['http://[1.2.3.4]/', 'http://a[b', 'http://h%41/', 'http://a^b@h/', 'http://[::1%25]/', 'a:b/c\u0007', '/%4'])(
    '%j is none',
    (text) => {
      expect(parseGoUrl(text)).toMatch(/^parse /);
    },
  );

  test('a base without host stays without', () => {
    const [base, reference] = [parseGoUrl('mailto:me@here'), parseGoUrl('?q')];
    if (typeof base === 'string' || typeof reference === 'string') throw new Error('not parsed');
    expect(formatGoUrl(resolveGoUrl(base, reference))).toBe('mailto:me@here?q');
  });
});

test('a URI that does not parse is refused while decoding, one that does is kept as Go prints it', () => {
  const decoded = (uri: string): unknown => strictDecode(triggers.schema, { spec: { broker: 'b', subscriber: { uri } } });
  expect(decoded('http://a b')).toMatchObject({ problems: [{ problem: 'type', path: 'spec.subscriber.uri' }] });
  expect(decoded('http://h/a b')).toMatchObject({ problems: [], value: { spec: { subscriber: { uri: 'http://h/a%20b' } } } });
});

test('steps that are wrong in the same way share a line', () => {
  const spec = { channelTemplate: { apiVersion: 'v', kind: 'K' }, steps: [{ uri: 'x' }, {}, {}] };
  expect(errorsOf(sequences, { spec })).toBe(
    'invalid value: {{<nil>  <nil> <nil>} <nil>}: spec.steps[1], spec.steps[2]\n' +
      'invalid value: {{<nil> x <nil> <nil>} <nil>}: spec.steps[0]',
  );
});

test('taking the channel away from a Subscription is an immutable change too', () => {
  const old = {
    apiVersion: 'messaging.knative.dev/v1',
    kind: 'Subscription',
    metadata: { name: 'o' },
    spec: { channel: { name: 'c' } },
  };
  const errors = errorsOf(subscriptions, { spec: { subscriber: {} } }, { operation: 'update', old });
  expect(errors).toContain('Immutable fields changed (-old +new): spec');
  expect(errors).toContain('missing field(s): spec.channel');
});

test('only a user can link into another namespace', () => {
  const spec = {
    brokerRef: { apiVersion: 'e/v1', kind: 'Broker', name: 'b', namespace: 'there' },
    subscriber: { uri: 'http://s' },
  };
  const config = (): Record<string, string> => ({ 'cross-namespace-event-links': 'enabled' });
  expect(errorsOf(triggers, { spec }, { config })).toMatch(/^failed to get userInfo, .*: spec\.BrokerNamespace$/);
  expect(errorsOf(triggers, { spec }, { config, user: 'me' })).toBe('');
});

test.each(['/etc', '../UTC', '\\x'])('%j leads out of the zone files', (timezone) => {
  const spec = { schedule: '1 * * * *', timezone, sink: { uri: 'http://s' } };
  expect(errorsOf(pingSources, { spec })).toBe(
    `invalid value: provided bad location ${timezone}: time: invalid location name: spec.timezone`,
  );
});

test.each([
  ['*', 'parse error: syntax error: '],
  ['* 7', ''],
  ['id 7 8', 'parse error: syntax error: '],
  ['id 7', ''],
  ['id = ', ''],
  ['LOWER(id', 'parse error: syntax error: '],
  ['id LIKE 7', 'parse error: syntax error: |failed to parse LIKE expression: the pattern was not a string literal'],
  ['id LIKE', ''],
  ['id = 88888888888', 'parse error: strconv.ParseInt: parsing "88888888888": value out of range'],
  ['88888888888 +', ''],
])('upstream says of the expression %j', (expression, words) => {
  expect(upstreamCesqlError(expression)).toBe(words);
});

test('a dependency is a reference whose fields are texts', () => {
  const metadata = { name: 'o', namespace: 'here', annotations: { 'knative.dev/dependency': '{"name":7}' } };
  expect(errorsOf(triggers, { metadata, spec: { broker: 'b', subscriber: { uri: 'http://s' } } })).toMatch(
    /cannot unmarshal number into Go struct field ObjectReference\.name of type string$/,
  );
});

test('the labels of a selected subject are valid ones', () => {
  const of = (matchLabels: Record<string, string>): string =>
    errorsOf(sinkBindings, {
      spec: {
        sink: { uri: 'http://s' },
        subject: { apiVersion: 'v1', kind: 'Pod', namespace: 'here', selector: { matchLabels } },
      },
    });
  expect(of({ app: 'a' })).toBe('');
  expect(of({ 'no name': 'a' })).toMatch(/^invalid value: key: Invalid value: "no name": name part .*: spec\.subject\.selector$/);
  expect(of({ app: 'no value' })).toMatch(/^invalid value: values\[0\]\[app\]: Invalid value: "no value": /);
});
