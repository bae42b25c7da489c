// Replays of admission: validation.json, configmaps.json, child-names.json.
import type { ConfigData, ConfigResult } from '../../src/api/config-reader.ts';
import { parseNetworkConfig, type NetworkConfig } from '../../src/api/networking/config-network.ts';
import { parseDefaultsConfig, type DefaultsConfig } from '../../src/api/serving/config-defaults.ts';
import { parseDeploymentConfig, type DeploymentConfig } from '../../src/api/serving/config-deployment.ts';
import { parseDomainConfig, type DomainConfig } from '../../src/api/serving/config-domain.ts';
import { parseFeaturesConfig } from '../../src/api/serving/config-features.ts';
import { parseGarbageCollectionConfig, type GarbageCollectionConfig } from '../../src/api/serving/config-gc.ts';
import { metrics } from '../../src/api/autoscaling/metric.ts';
import { podAutoscalers } from '../../src/api/autoscaling/pod-autoscaler.ts';
import { parseAutoscalerConfig } from '../../src/api/autoscaling/config-autoscaler.ts';
import { childName } from '../../src/api/child-name.ts';
import { errorText, mergeErrors } from '../../src/api/field-errors.ts';
import type { AdmissionContext, Kind } from '../../src/api/kind.ts';
import { ingresses } from '../../src/api/networking/ingress.ts';
import { serverlessServices } from '../../src/api/networking/serverless-service.ts';
import type { Resource } from '../../src/api/resource.ts';
import { configurations } from '../../src/api/serving/configuration.ts';
import { domainMappings } from '../../src/api/serving/domain-mapping.ts';
import { revisions } from '../../src/api/serving/revision.ts';
import { routes } from '../../src/api/serving/route.ts';
import { services } from '../../src/api/serving/service.ts';
import { strictDecode } from '../../src/api/strict-decode.ts';
import { differencesOf, type ReplayCase } from './replay.ts';

const kinds: Readonly<Record<string, Kind>> = {
  Service: services,
  Configuration: configurations,
  Revision: revisions,
  Route: routes,
  DomainMapping: domainMappings,
  PodAutoscaler: podAutoscalers,
  Metric: metrics,
  Ingress: ingresses,
  ServerlessService: serverlessServices,
};

interface ValidationCase {
  readonly id: string;
  readonly kind: string;
  readonly op: 'create' | 'update' | 'updateStatus';
  readonly user: string;
  readonly config?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly old?: unknown;
  readonly object: unknown;
  readonly defaulted?: unknown;
  readonly error: string;
  readonly errors?: readonly { readonly message: string; readonly paths: readonly string[]; readonly details?: string }[];
  readonly warnings?: readonly string[];
  readonly decodeError?: string;
  readonly configError?: string;
  readonly unstableDetails?: boolean;
}

function* validation(cases: readonly unknown[]): Iterable<ReplayCase> {
  for (const item of cases as readonly ValidationCase[]) yield { file: 'validation.json', id: item.id, ...replayOf(item) };
}

function replayOf(item: ValidationCase): Pick<ReplayCase, 'expected' | 'check'> {
  const kind = kinds[item.kind];
  if (kind === undefined) throw new Error(`unknown kind ${item.kind}`);
  if (item.configError !== undefined) {
    const { configError } = item;
    return { expected: { configError }, check: (expected) => differencesOf(expected, { configError: configProblem(item) }) };
  }
  if (item.decodeError !== undefined) {
    return {
      expected: { refused: true },
      check: (expected) => differencesOf(expected, { refused: decodeProblems(kind, item.object).length > 0 }),
    };
  }
  const expected = {
    defaulted: withoutZeros(item.defaulted),
    // The text of a Go diff is cut off in these; its errors come without details.
    ...(item.unstableDetails === true ? { errorStart: item.error } : { error: item.error }),
    errors: item.errors ?? [],
    warnings: item.warnings ?? [],
  };
  return { expected, check: (wanted) => differencesOf(wanted, admission(kind, item)) };
}

function admission(kind: Kind, item: ValidationCase): unknown {
  const config = (name: string): Readonly<Record<string, string>> | undefined => item.config?.[name.replace('config-', '')];
  const context: AdmissionContext = {
    operation: item.op,
    user: item.user,
    config,
    ...(item.old === undefined ? {} : { old: decode(kind, item.old) }),
  };
  const object = decode(kind, item.object);
  const before = JSON.stringify(object);
  const defaulted = kind.defaults?.(object, context) ?? object;
  if (JSON.stringify(object) !== before) throw new Error('defaults changed its argument');
  const errors = mergeErrors(kind.validate?.(defaulted, context) ?? []);
  const text = errorText(errors);
  const warnings = kind.warnings?.(defaulted, context) ?? [];
  const plain = errors.map(({ message, paths, details }) =>
    details === '' || item.unstableDetails === true ? { message, paths } : { message, paths, details },
  );
  return {
    defaulted: withoutZeros(defaulted),
    ...(item.unstableDetails === true ? { errorStart: text.slice(0, item.error.length) } : { error: text }),
    errors: plain,
    warnings,
  };
}

function decode(kind: Kind, value: unknown): Resource {
  const { value: decoded, problems } = strictDecode(kind.schema, value);
  if (problems.length > 0) throw new Error(`does not decode: ${JSON.stringify(problems)}`);
  return decoded;
}

const decodeProblems = (kind: Kind, value: unknown): readonly unknown[] => strictDecode(kind.schema, value).problems;

function configProblem({ config = {} }: ValidationCase): string | undefined {
  const results = [
    parseDefaultsConfig(config['defaults']),
    parseFeaturesConfig(config['features']),
    parseAutoscalerConfig(config['autoscaler']),
  ];
  return results.map((result) => ('error' in result ? result.error : undefined)).find((error) => error !== undefined);
}

/** Plain Go numbers: the recorder printed the port always and the others never when they are 0. */
const omittedZeros = new Set(['port', 'servicePort', 'stableWindow', 'panicWindow', 'periodSeconds', 'initialDelaySeconds']);

/** Without what Go prints although it was not set: see "Common tolerance" in the vectors' README. */
export function withoutZeros(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutZeros);
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const plain = withoutZeros(item);
    if (plain === null || plain === undefined || key === 'creationTimestamp') continue;
    if (typeof plain === 'object' && Object.keys(plain).length === 0) continue;
    if (plain === '' || (plain === 0 && omittedZeros.has(key))) continue;
    result[key] = plain;
  }
  return result;
}

function* childNames(cases: readonly unknown[]): Iterable<ReplayCase> {
  for (const { id, input, expect } of cases as readonly {
    readonly id: string;
    readonly input: { readonly Parent: string; readonly Suffix: string };
    readonly expect: { readonly name: string };
  }[]) {
    yield {
      file: 'child-names.json',
      id,
      expected: expect,
      check: (expected) => differencesOf(expected, { name: childName(input.Parent, input.Suffix) }),
    };
  }
}

interface ConfigCase {
  readonly id: string;
  readonly configMap: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly parsed?: unknown;
  readonly configError?: string;
}

function* configMaps(cases: readonly unknown[]): Iterable<ReplayCase> {
  for (const item of cases as readonly ConfigCase[]) {
    const base = { file: 'configmaps.json', id: item.id };
    const { configError } = item;
    const expected =
      configError === undefined ? { parsed: withoutNulls(item.parsed) } : { configError: comparableError(configError) };
    yield { ...base, expected, check: (wanted) => differencesOf(wanted, parseConfigMap(item)) };
  }
}

function parseConfigMap({ configMap, data }: ConfigCase): unknown {
  const parse = configParsers[configMap];
  if (parse === undefined) throw new Error(`no parser for ${configMap}`);
  const result = parse(data);
  return 'error' in result ? { configError: comparableError(result.error) } : { parsed: withoutNulls(result.config) };
}

/** What go-yaml says about broken YAML is its own: only that it says so is compared. */
const comparableError = (text: string): string => text.replace(/(error converting YAML to JSON: yaml: ).*/, '$1');

const configParsers: Readonly<Record<string, (data: ConfigData | undefined) => ConfigResult<unknown>>> = {
  'config-defaults': (data) => inGoTerms(parseDefaultsConfig(data), defaultsInGo),
  'config-features': (data) => inGoTerms(parseFeaturesConfig(data), capitalized),
  'config-gc': (data) => inGoTerms(parseGarbageCollectionConfig(data), garbageCollectionInGo),
  'config-network': (data) => inGoTerms(parseNetworkConfig(data), networkInGo),
  'config-domain': (data) => inGoTerms(parseDomainConfig(data), domainInGo),
  'config-deployment': (data) => inGoTerms(parseDeploymentConfig(data), deploymentInGo),
};

function inGoTerms<T>(result: ConfigResult<T>, translate: (config: T) => unknown): ConfigResult<unknown> {
  return 'error' in result ? result : { config: translate(result.config) };
}

function capitalized(config: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key.charAt(0).toUpperCase() + key.slice(1), value]));
}

const nanoseconds = (ms: number): number => (ms === -1 ? -1 : ms * 1e6);
const stringSet = (items: readonly string[]): unknown => Object.fromEntries(items.map((item) => [item, {}]));

/** The plain fields: the recorder printed no templates. */
function defaultsInGo(config: DefaultsConfig): unknown {
  const { userContainerNameTemplate: _user, initContainerNameTemplate: _init, ...plain } = config;
  const { revisionCpuRequest, revisionCpuLimit, ...rest } = plain;
  return { ...rest, revisionCPURequest: revisionCpuRequest, revisionCPULimit: revisionCpuLimit };
}

function garbageCollectionInGo(config: GarbageCollectionConfig): unknown {
  return {
    RetainSinceCreateTime: nanoseconds(config.retainSinceCreateTimeMs),
    RetainSinceLastActiveTime: nanoseconds(config.retainSinceLastActiveTimeMs),
    MinNonActiveRevisions: config.minNonActiveRevisions,
    MaxNonActiveRevisions: config.maxNonActiveRevisions,
  };
}

function networkInGo({ externalDomainTLS, httpProtocol, rolloutDurationSeconds, ...config }: NetworkConfig): unknown {
  return {
    ...capitalized(config),
    AutoTLS: externalDomainTLS,
    ExternalDomainTLS: externalDomainTLS,
    HTTPProtocol: httpProtocol,
    RolloutDurationSecs: rolloutDurationSeconds,
  };
}

function domainInGo({ domains }: DomainConfig): unknown {
  const entries = Object.entries(domains).map(([name, { selector, type }]) => {
    const isEmpty = Object.keys(selector).length === 0;
    return [name, { Selector: isEmpty ? {} : { selector }, Type: type }] as const;
  });
  return { Domains: Object.fromEntries(entries) };
}

function deploymentInGo({
  digestResolutionTimeoutMs,
  progressDeadlineMs,
  runtimeClassNames,
  ...config
}: DeploymentConfig): unknown {
  return {
    ...capitalized(config),
    DigestResolutionTimeout: nanoseconds(digestResolutionTimeoutMs),
    ProgressDeadline: nanoseconds(progressDeadlineMs),
    RegistriesSkippingTagResolving: stringSet(config.registriesSkippingTagResolving),
    QueueSidecarTokenAudiences: stringSet(config.queueSidecarTokenAudiences),
    RuntimeClassNames:
      runtimeClassNames &&
      Object.fromEntries(
        Object.entries(runtimeClassNames).map(([name, selector]) => [
          name,
          Object.keys(selector).length === 0 ? {} : { selector },
        ]),
      ),
  };
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item)]));
}

/** Cases of each file by name, for the replay of the whole folder. */
export const files: Readonly<Record<string, (cases: readonly unknown[]) => Iterable<ReplayCase>>> = {
  'validation.json': validation,
  'child-names.json': childNames,
  'configmaps.json': configMaps,
};
