import { errorText, outOfBounds } from '../field-errors.ts';
import { ConfigFault, readConfig, type ConfigData, type ConfigResult } from '../config-reader.ts';
import { executeGoTemplate, parseGoTemplate, TemplateError, type GoTemplate, type TemplateData } from '../go-template.ts';
import type { ObjectMeta } from '../resource.ts';

/** `config-defaults`, parsed: what a Revision gets when its template does not say. Comments give upstream's default. */
export interface DefaultsConfig {
  /** 300. */
  readonly revisionTimeoutSeconds: number;
  /** 600: the most that a template may ask for. */
  readonly maxRevisionTimeoutSeconds: number;
  /** The revision timeout; 0 sets none. */
  readonly revisionResponseStartTimeoutSeconds: number;
  /** 0: none. */
  readonly revisionIdleTimeoutSeconds: number;
  /** Template of the first container's name, `user-container`. */
  readonly userContainerNameTemplate: GoTemplate;
  /** `init-container`. */
  readonly initContainerNameTemplate: GoTemplate;
  /** 0: no limit. */
  readonly containerConcurrency: number;
  /** 1000. */
  readonly containerConcurrencyMaxLimit: number;
  /** True. */
  readonly allowContainerConcurrencyZero: boolean;
  /** False; `undefined` leaves it to Kubernetes. */
  readonly enableServiceLinks: boolean | undefined;
  readonly revisionCpuRequest: string | undefined;
  readonly revisionCpuLimit: string | undefined;
  readonly revisionMemoryRequest: string | undefined;
  readonly revisionMemoryLimit: string | undefined;
  readonly revisionEphemeralStorageRequest: string | undefined;
  readonly revisionEphemeralStorageLimit: string | undefined;
}

const int32Max = 2_147_483_647;

/** Parses the data of `config-defaults`. Source: knative/serving pkg/apis/config/defaults.go. */
export function parseDefaultsConfig(data: ConfigData | undefined): ConfigResult<DefaultsConfig> {
  return readConfig(data, (read) => {
    const template = (key: string, otherwise: string): GoTemplate =>
      parseGoTemplate('container-template', read.raw(key, otherwise));
    const initContainerNameTemplate = template('init-container-name-template', 'init-container');
    const userContainerNameTemplate = template('container-name-template', 'user-container');
    const allowContainerConcurrencyZero = read.boolean('allow-container-concurrency-zero', true);
    const revisionTimeoutSeconds = read.integer('revision-timeout-seconds', 300);
    const config: DefaultsConfig = {
      initContainerNameTemplate,
      userContainerNameTemplate,
      allowContainerConcurrencyZero,
      enableServiceLinks: triState(read.raw('enable-service-links', 'false')),
      revisionTimeoutSeconds,
      maxRevisionTimeoutSeconds: read.integer('max-revision-timeout-seconds', 600),
      revisionIdleTimeoutSeconds: read.integer('revision-idle-timeout-seconds', 0),
      containerConcurrency: read.integer('container-concurrency', 0),
      containerConcurrencyMaxLimit: read.integer('container-concurrency-max-limit', 1_000),
      revisionCpuRequest: read.quantity('revision-cpu-request', undefined),
      revisionMemoryRequest: read.quantity('revision-memory-request', undefined),
      revisionEphemeralStorageRequest: read.quantity('revision-ephemeral-storage-request', undefined),
      revisionCpuLimit: read.quantity('revision-cpu-limit', undefined),
      revisionMemoryLimit: read.quantity('revision-memory-limit', undefined),
      revisionEphemeralStorageLimit: read.quantity('revision-ephemeral-storage-limit', undefined),
      revisionResponseStartTimeoutSeconds: read.integer('revision-response-start-timeout-seconds', revisionTimeoutSeconds),
    };
    check(config);
    return config;
  });
}

function triState(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}

function check(config: DefaultsConfig): void {
  const timeout = config.revisionTimeoutSeconds;
  const most = (key: string, value: number, limitKey: string, limit: number): void => {
    if (value > limit) throw new ConfigFault(`${key} (${value}) cannot be greater than ${limitKey} (${limit})`);
  };
  most('revision-timeout-seconds', timeout, 'max-revision-timeout-seconds', config.maxRevisionTimeoutSeconds);
  for (const [key, value] of [
    ['revision-response-start-timeout-seconds', config.revisionResponseStartTimeoutSeconds],
    ['revision-idle-timeout-seconds', config.revisionIdleTimeoutSeconds],
  ] as const) {
    if (value > 0) most(key, value, 'revision-timeout-seconds', timeout);
  }
  const { containerConcurrency, containerConcurrencyMaxLimit } = config;
  if (containerConcurrencyMaxLimit < 1) {
    throw new ConfigFault(errorText(outOfBounds(containerConcurrencyMaxLimit, 1, int32Max, 'container-concurrency-max-limit')));
  }
  if (containerConcurrency < 0 || containerConcurrency > containerConcurrencyMaxLimit) {
    throw new ConfigFault(errorText(outOfBounds(containerConcurrency, 0, containerConcurrencyMaxLimit, 'container-concurrency')));
  }
  for (const template of [config.userContainerNameTemplate, config.initContainerNameTemplate]) {
    try {
      executeGoTemplate(template, metadataForTemplate({}));
    } catch (error) {
      if (error instanceof TemplateError) throw new ConfigFault(`error executing template: ${error.message}`);
      throw error;
    }
  }
}

/** An object's metadata as templates see it (`metav1.ObjectMeta`). */
export function metadataForTemplate(metadata: Partial<ObjectMeta>): TemplateData {
  return {
    type: 'v1.ObjectMeta',
    fields: {
      Name: metadata.name ?? '',
      GenerateName: metadata.generateName ?? '',
      Namespace: metadata.namespace ?? '',
      SelfLink: '',
      UID: metadata.uid ?? '',
      ResourceVersion: metadata.resourceVersion ?? '',
      Generation: metadata.generation ?? 0,
      Labels: metadata.labels,
      Annotations: metadata.annotations,
    },
  };
}
