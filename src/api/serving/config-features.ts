import { readConfig, type ConfigData, type ConfigResult } from '../config-reader.ts';

/** `Allowed` neither switches on nor forbids: users may ask for it. */
export type Flag = 'Enabled' | 'Allowed' | 'Disabled';
/** `AllowRootBounded`: secure defaults, but programs may run as root. */
export type SecurePodDefaults = 'Enabled' | 'AllowRootBounded' | 'Disabled';

const flags = {
  multiContainer: ['multi-container', 'Enabled'],
  multiContainerProbing: ['multi-container-probing', 'Disabled'],
  podSpecAffinity: ['kubernetes.podspec-affinity', 'Disabled'],
  podSpecTopologySpreadConstraints: ['kubernetes.podspec-topologyspreadconstraints', 'Disabled'],
  podSpecFieldRef: ['kubernetes.podspec-fieldref', 'Disabled'],
  podSpecHostAliases: ['kubernetes.podspec-hostaliases', 'Disabled'],
  podSpecNodeSelector: ['kubernetes.podspec-nodeselector', 'Disabled'],
  podSpecRuntimeClassName: ['kubernetes.podspec-runtimeclassname', 'Disabled'],
  podSpecSecurityContext: ['kubernetes.podspec-securitycontext', 'Disabled'],
  podSpecShareProcessNamespace: ['kubernetes.podspec-shareprocessnamespace', 'Disabled'],
  podSpecHostIPC: ['kubernetes.podspec-hostipc', 'Disabled'],
  podSpecHostPID: ['kubernetes.podspec-hostpid', 'Disabled'],
  podSpecHostNetwork: ['kubernetes.podspec-hostnetwork', 'Disabled'],
  podSpecPriorityClassName: ['kubernetes.podspec-priorityclassname', 'Disabled'],
  podSpecSchedulerName: ['kubernetes.podspec-schedulername', 'Disabled'],
  containerSpecAddCapabilities: ['kubernetes.containerspec-addcapabilities', 'Disabled'],
  podSpecTolerations: ['kubernetes.podspec-tolerations', 'Disabled'],
  podSpecVolumesEmptyDir: ['kubernetes.podspec-volumes-emptydir', 'Enabled'],
  podSpecVolumesHostPath: ['kubernetes.podspec-volumes-hostpath', 'Disabled'],
  podSpecVolumesMountPropagation: ['kubernetes.podspec-volumes-mount-propagation', 'Disabled'],
  podSpecVolumesCSI: ['kubernetes.podspec-volumes-csi', 'Disabled'],
  podSpecVolumesEphemeral: ['kubernetes.podspec-volumes-ephemeral', 'Disabled'],
  podSpecVolumesImage: ['kubernetes.podspec-volumes-image', 'Disabled'],
  podSpecInitContainers: ['kubernetes.podspec-init-containers', 'Disabled'],
  podSpecPersistentVolumeClaim: ['kubernetes.podspec-persistent-volume-claim', 'Disabled'],
  podSpecPersistentVolumeWrite: ['kubernetes.podspec-persistent-volume-write', 'Disabled'],
  queueProxyMountPodInfo: ['queueproxy.mount-podinfo', 'Disabled'],
  queueProxyResourceDefaults: ['queueproxy.resource-defaults', 'Disabled'],
  podSpecDNSPolicy: ['kubernetes.podspec-dnspolicy', 'Disabled'],
  podSpecDNSConfig: ['kubernetes.podspec-dnsconfig', 'Disabled'],
  tagHeaderBasedRouting: ['tag-header-based-routing', 'Disabled'],
  autoDetectHTTP2: ['autodetect-http2', 'Disabled'],
} as const satisfies Record<string, readonly [string, Flag]>;

/** `config-features`, parsed: which optional parts of the API users may use. */
export type FeaturesConfig = { readonly [K in keyof typeof flags]: Flag } & { readonly securePodDefaults: SecurePodDefaults };

/** Config-map key of a feature (`kubernetes.podspec-affinity`). */
export function featureKey(feature: keyof typeof flags): string {
  return flags[feature][0];
}

/**
 * Parses the data of `config-features`. Values that are no flag are ignored, as upstream does: a typing error keeps the default.
 * Source: knative/serving pkg/apis/config/features.go.
 */
export function parseFeaturesConfig(data: ConfigData | undefined): ConfigResult<FeaturesConfig> {
  return readConfig(data, (read) => {
    const flagOf = (feature: keyof typeof flags): Flag => {
      const [key, otherwise] = flags[feature];
      return matchFlag(read.raw(key, ''), ['Enabled', 'Allowed', 'Disabled']) ?? otherwise;
    };
    const parsed: Record<string, Flag> = {};
    for (const feature of featureNames) parsed[feature] = flagOf(feature);
    return {
      ...(parsed as Record<keyof typeof flags, Flag>),
      securePodDefaults:
        matchFlag(read.raw('secure-pod-defaults', ''), ['Disabled', 'AllowRootBounded', 'Enabled']) ?? 'Disabled',
    };
  });
}

const featureNames = Object.keys(flags) as (keyof typeof flags)[];

function matchFlag<T extends string>(text: string, known: readonly T[]): T | undefined {
  const lower = text.toLowerCase();
  return known.find((flag) => flag.toLowerCase() === lower);
}
