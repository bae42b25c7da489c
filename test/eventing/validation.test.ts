import { describe, expect, test } from 'vitest';
import { goJsonError } from '../../src/api/duck/go-json.ts';
import { formatGoUrl, parseGoUrl, resolveGoUrl } from '../../src/api/duck/go-url.ts';
import { base64Error } from '../../src/api/sources/base64-error.ts';
import { parseCronSchedule } from '../../src/api/sources/cron-schedule.ts';
import { brokerConfigOf, brokerDefaults, mustStayInNamespace } from '../../src/api/eventing/broker-defaults.ts';
import { brokers, type Broker } from '../../src/api/eventing/broker.ts';
import { installedEventingConfig } from '../../src/api/eventing/installed-config.ts';
import { errorText } from '../../src/api/field-errors.ts';
import type { AdmissionContext } from '../../src/api/kind.ts';
import { validateDestination } from '../../src/api/duck/validate-destination.ts';
import { parseYamlText } from '../../src/api/duck/yaml-text.ts';

describe("Go's JSON errors", () => {
  test.each([
    ['{"a":1}', ''],
    ['', 'unexpected end of JSON input'],
    ['{"a"', 'unexpected end of JSON input'],
    ['{b', "invalid character 'b' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['tru', 'unexpected end of JSON input'],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ['1 x', "invalid character 'x' after top-level value"],
    ['\u0000', "invalid character '\\x00' looking for beginning of value"],
    ['é', "invalid character 'Ã' looking for beginning of value"],
    ['"\t"', "invalid character '\\t' in string literal"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.e', "invalid character 'e' after decimal point in numeric literal"],
  ])('%j', (text, expected) => {
    expect(goJsonError(text)).toBe(expected);
  });

  test('deep nesting is an error, not a crash', () => {
    expect(goJsonError('['.repeat(100_000))).toBe('exceeded max depth');
  });
});

describe('Base64 errors', () => {
  test.each([
    ['SGVsbG8=', undefined],
    ['SGVs\nbG8=', undefined],
    ['SGVsbG8', 'illegal base64 data at input byte 4'],
    ['SG!s', 'illegal base64 data at input byte 2'],
    ['S===', 'illegal base64 data at input byte 1'],
    ['SGVsbG8=x', 'illegal base64 data at input byte 8'],
  ])('%j', (text, expected) => {
    expect(base64Error(text)).toBe(expected);
  });
});

describe('cron schedules', () => {
  test('give the values of each field', () => {
    const schedule = parseCronSchedule('CRON_TZ=Europe/Berlin */20 9-17/4 ? JAN,jun mon-fri');
    expect(schedule).toEqual({
      seconds: [0],
      minutes: [0, 20, 40],
      hours: [9, 13, 17],
      daysOfMonth: Array.from({ length: 31 }, (_, index) => index + 1),
      months: [1, 6],
      daysOfWeek: [1, 2, 3, 4, 5],
      anyDayOfMonth: true,
      anyDayOfWeek: false,
      timezone: 'Europe/Berlin',
    });
    expect(parseCronSchedule('@hourly')).toMatchObject({ seconds: [0], minutes: [0] });
  });

  test.each([
    ['', 'empty spec string'],
    ['bad', 'expected 5 to 6 fields, found 1: [bad]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['@nightly', 'unrecognized descriptor: @nightly'],
    ['@every 5m', 'unsupported descriptor @every'],
    ['@every soon', 'failed to parse duration @every soon: time: invalid duration "soon"'],
    ['TZ=europe/berlin * * * * *', 'provided bad location europe/berlin: unknown time zone europe/berlin'],
  ])('%j', (schedule, expected) => {
    expect(parseCronSchedule(schedule)).toBe(expected);
  });
});

describe('CA certificates of a destination', () => {
  const errors = (CACerts: string): string =>
    errorText(validateDestination({ uri: 'https://x.example', CACerts }, { context: {} }));
  const block = (base64: string, type = 'CERTIFICATE'): string => `-----BEGIN ${type}-----\n${base64}\n-----END ${type}-----\n`;

  test('must be a PEM block with a certificate', () => {
    // A sequence that holds a sequence and a null.
    expect(errors(block('MAYwAgUABQA='))).toBe('');
    for (const text of ['', 'x', block('AAAA'), block('MIIB'), block('!')]) {
      expect(errors(text)).toBe('invalid value: CA Cert provided is invalid: caCert');
    }
    expect(errors(block('MAYwAgUABQA=', 'PUBLIC KEY'))).toBe('invalid value: CA Cert provided is not a certificate: caCert');
  });
});

describe("Go's URLs", () => {
  test.each([
    ['http://s.example/base/x', 'rel', 'http://s.example/base/rel'],
    ['http://s.example/base/x', '../up', 'http://s.example/up'],
    ['http://s.example', '', 'http://s.example'],
    ['http://s.example?q=1', '#f', 'http://s.example?q=1#f'],
    ['http://s.example/a', '//host/p', 'http://host/p'],
    ['http://s.example/a/', './b/../c/.', 'http://s.example/a/c/'],
  ])('%s and %s give %s', (base, reference, expected) => {
    const [from, to] = [parseGoUrl(base), parseGoUrl(reference)];
    if (typeof from === 'string' || typeof to === 'string') throw new Error('not parsed');
    expect(formatGoUrl(resolveGoUrl(from, to))).toBe(expected);
  });

  test.each([
    ['://bad', 'parse "://bad": missing protocol scheme'],
    ['http://a b/', 'parse "http://a b/": invalid character " " in host name'],
    ['http://h:port/', 'parse "http://h:port/": invalid port ":port" after host'],
    ['%zz', 'parse "%zz": invalid URL escape "%zz"'],
    ['a\nb', 'parse "a\\nb": net/url: invalid control character in URL'],
  ])('%j is refused', (text, expected) => {
    expect(parseGoUrl(text)).toBe(expected);
  });
});

test('with the config maps of an installation a Broker needs nothing', () => {
  const context: AdmissionContext = { config: (name) => installedEventingConfig[name] };
  const bare: Broker = {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Broker',
    metadata: { name: 'b', namespace: 'n' },
    spec: {},
  };
  const broker = brokers.defaults?.(bare, context) ?? bare;
  expect(broker.metadata.annotations).toEqual({ 'eventing.knative.dev/broker.class': 'MTChannelBasedBroker' });
  expect(broker.spec.delivery).toEqual({ retry: 10, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' });
  expect(errorText(brokers.validate?.(broker, context) ?? [])).toBe('');
});

describe('defaults for brokers', () => {
  const text = `
clusterDefault:
  brokerClass: MTChannelBasedBroker
  apiVersion: v1
  kind: ConfigMap
  name: cluster
  brokerClasses: { Kafka: { apiVersion: v1, kind: ConfigMap, name: kafka } }
namespaceDefaults:
  ns: { brokerClass: Kafka, apiVersion: v1, kind: ConfigMap, name: own, disallowDifferentNamespaceConfig: true }
`;
  const defaults = brokerDefaults({ config: () => ({ 'default-br-config': text }) });

  test('come from the namespace, then from the class, then from the cluster', () => {
    if (defaults === undefined) throw new Error('not read');
    expect(brokerConfigOf(defaults, 'ns', '')?.config?.name).toBe('own');
    expect(brokerConfigOf(defaults, 'other', 'Kafka')?.config?.name).toBe('kafka');
    expect(brokerConfigOf(defaults, 'ns', 'Rabbit')?.config?.name).toBe('cluster');
    expect([mustStayInNamespace(defaults, 'ns'), mustStayInNamespace(defaults, 'other')]).toEqual([true, false]);
  });

  test('that are not YAML are none', () => {
    expect(brokerDefaults({ config: () => ({ 'default-br-config': 'a: [' }) })).toBeUndefined();
    expect(parseYamlText('a: yes')).toEqual({ value: { a: true } });
  });
});
