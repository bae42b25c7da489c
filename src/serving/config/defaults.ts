import { parsedConfig, type ConfigData } from './read.ts';

/** The part of `config-defaults` that reconcilers look at; defaulting at admission looks at the rest. */
export interface DefaultsConfig {
  /** `enable-service-links`, false; `undefined` by `default`: Kubernetes' own default. */
  readonly enableServiceLinks: boolean | undefined;
}

export const defaultsConfig = parsedConfig('config-defaults', (data: ConfigData): DefaultsConfig => {
  const links = data['enable-service-links']?.toLowerCase();
  return { enableServiceLinks: links === 'true' ? true : links === 'default' ? undefined : false };
});
