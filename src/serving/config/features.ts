import { parsedConfig, type ConfigData } from './read.ts';

type Flag = 'enabled' | 'allowed' | 'disabled';

/** The flags of `config-features` and `config-defaults` that change what is made; admission looks at the others. */
export interface FeatureFlags {
  /** `tag-header-based-routing`, disabled: requests to a route's own host may select a tag by header. */
  readonly tagHeaderBasedRouting: boolean;
  /** `multi-container-probing`, disabled. */
  readonly multiContainerProbing: boolean;
  /** `queueproxy.mount-podinfo`, disabled. */
  readonly queueProxyMountPodInfo: Flag;
  /** `queueproxy.resource-defaults`, disabled. */
  readonly queueProxyResourceDefaults: boolean;
  /** `autodetect-http2`, disabled. */
  readonly autoDetectHttp2: boolean;
}

export const featureFlags = parsedConfig('config-features', (data: ConfigData): FeatureFlags => {
  const flag = (key: string): Flag => {
    const value = data[key]?.toLowerCase();
    return value === 'enabled' || value === 'allowed' ? value : 'disabled';
  };
  return {
    tagHeaderBasedRouting: flag('tag-header-based-routing') === 'enabled',
    multiContainerProbing: flag('multi-container-probing') === 'enabled',
    queueProxyMountPodInfo: flag('queueproxy.mount-podinfo'),
    queueProxyResourceDefaults: flag('queueproxy.resource-defaults') === 'enabled',
    autoDetectHttp2: flag('autodetect-http2') === 'enabled',
  };
});
