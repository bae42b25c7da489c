import { expect, test } from 'vitest';
import { parseAutoscalerConfig } from '../../src/api/autoscaling/config-autoscaler.ts';
import { parseNetworkConfig } from '../../src/api/networking/config-network.ts';
import { parseDefaultsConfig } from '../../src/api/serving/config-defaults.ts';
import { parseDeploymentConfig } from '../../src/api/serving/config-deployment.ts';
import { parseDomainConfig } from '../../src/api/serving/config-domain.ts';
import { parseGarbageCollectionConfig } from '../../src/api/serving/config-gc.ts';

const decoding = 'error unmarshaling JSON: while decoding JSON: json: cannot unmarshal';

test.each([
  [
    'domain of a plain text',
    () => parseDomainConfig({ 'shop.test': 'words' }),
    `${decoding} string into Go value of type config.domainInternalConfig`,
  ],
  [
    'selector that is a list',
    () => parseDomainConfig({ 'shop.test': 'selector:\n- app' }),
    `${decoding} array into Go struct field domainInternalConfig.selector of type map[string]string`,
  ],
  [
    'certificate selector that is a number',
    () => parseNetworkConfig({ 'namespace-wildcard-cert-selector': '7' }),
    `${decoding} number into Go value of type v1.LabelSelector`,
  ],
  [
    'host name with a brace',
    () => parseNetworkConfig({ 'domain-template': 'shop}' }),
    'parse "https://shop}": invalid character "}" in host name',
  ],
  [
    'the older key of two wrong ones is told first',
    () => parseNetworkConfig({ 'rollout-duration': 'no', rolloutDuration: 'never' }),
    'failed to parse "rolloutDuration": strconv.ParseInt: parsing "never": invalid syntax',
  ],
  [
    'a chain of fields is placed at its second',
    () => parseDefaultsConfig({ 'container-name-template': 'c-{{.Shop.Name}}' }),
    'error executing template: template: container-template:1:9: executing "container-template" at <.Shop.Name>: can\'t evaluate field Shop in type v1.ObjectMeta',
  ],
  [
    'a condition without a value',
    () => parseDefaultsConfig({ 'container-name-template': '{{if}}' }),
    'template: container-template:1: missing value for if',
  ],
  [
    'runtime class with a wrong label',
    () => parseDeploymentConfig({ 'queue-sidecar-image': 'q', 'runtime-class-name': 'fast: {selector: {a: "x y"}}' }),
    /^runtime-class-name fast selector invalid: values\[0\]\[a\]: Invalid value: "x y": a valid label must be/,
  ],
  [
    'a number that overflows before its wrong end',
    () => parseAutoscalerConfig({ 'max-scale-limit': '99999999999x' }),
    'failed to parse data: failed to parse "max-scale-limit": strconv.ParseInt: parsing "99999999999x": value out of range',
  ],
  [
    'a duration of one nanosecond too many',
    () => parseGarbageCollectionConfig({ 'retain-since-create-time': '9223372036854775808ns' }),
    'failed to parse retain-since-create-time: time: invalid duration "9223372036854775808ns"',
  ],
  [
    'a negative count that a number cannot hold',
    () => parseGarbageCollectionConfig({ 'min-non-active-revisions': '-9223372036854775807' }),
    'min-non-active-revisions must be non-negative, was: -9223372036854775807',
  ],
  [
    'a quantity with two signs',
    () => parseDeploymentConfig({ 'queue-sidecar-image': 'q', 'queue-sidecar-cpu-limit': '--4' }),
    'failed to parse "queue-sidecar-cpu-limit": unable to parse quantity\'s suffix',
  ],
] as const)('%s', (_name, parse, error) => {
  const result = parse();
  const told = 'error' in result ? result.error : '';
  expect(typeof error === 'string' ? told : error.test(told)).toBe(typeof error === 'string' ? error : true);
});

test('texts are trimmed, field names of YAML may have any case, unknown ones are dropped', () => {
  expect(parseGarbageCollectionConfig({ 'max-non-active-revisions': ' 40 ' })).toMatchObject({
    config: { maxNonActiveRevisions: 40 },
  });
  expect(parseDomainConfig({ 'shop.test': 'Selector: {app: 1, tier: }\nother: x' })).toMatchObject({
    config: { domains: { 'shop.test': { selector: { app: '1', tier: '' } } } },
  });
});

test('`and` does not look further than the first empty value', () => {
  expect('config' in parseDefaultsConfig({ 'container-name-template': '{{and .Name .Nothing}}' })).toBe(true);
});

test('words for flags in a selector become true and false unless they are quoted', () => {
  const result = parseDeploymentConfig({
    'queue-sidecar-image': 'q',
    'runtime-class-name': 'fast:\n  selector:\n    gpu: yes\n    shared: Off\n    kept: "no"\nsmall: {selector: {y: n}}',
  });
  expect('config' in result && result.config.runtimeClassNames).toEqual({
    fast: { gpu: 'true', shared: 'false', kept: 'no' },
    small: { true: 'false' },
  });
});

test('the longest duration of Go is read', () => {
  expect(parseGarbageCollectionConfig({ 'retain-since-create-time': '9223372036854775807ns' })).toHaveProperty('config');
});

test.each([
  ['1.10', '1.1'],
  ['010', '8'],
  ['0x1f', '31'],
  ['1_000', '1000'],
  ['+_42', '42'],
  ['2e3', '2000'],
  ['16777217.5', /"1\.6777218e\+07"/],
  ['7e900', '7e900'],
  ['1.2.3', '1.2.3'],
  ['"1.10"', '1.10'],
] as const)('a selector of the number %s', (text, expected) => {
  const data = { 'queue-sidecar-image': 'q', 'runtime-class-name': `fast: {selector: {version: ${text}}}` };
  const result = parseDeploymentConfig(data);
  const told = 'error' in result ? result.error : result.config.runtimeClassNames?.['fast']?.['version'];
  if (typeof expected === 'string') expect(told).toBe(expected);
  else expect(told).toMatch(expected);
});
