import {
  anyObject,
  array,
  boolean,
  int32,
  int64,
  map,
  object,
  oneOf,
  plainBoolean,
  present,
  quantity,
  required,
  string,
  type TypeOf,
} from '../schema.ts';
import { container, podSecurityContext, resourceRequirements } from './container.ts';
import { labelSelector } from './metadata.ts';
import { volume } from './volumes.ts';

export const toleration = object({
  key: string,
  operator: string,
  value: string,
  effect: string,
  tolerationSeconds: int64,
});

const requirement = object({ key: required(string), operator: required(string), values: array(string) });
const nodeSelectorTerm = object({ matchExpressions: array(requirement), matchFields: array(requirement) });
const podAffinityTerm = object({
  labelSelector,
  namespaces: array(string),
  topologyKey: required(string),
  namespaceSelector: labelSelector,
  matchLabelKeys: array(string),
  mismatchLabelKeys: array(string),
});
const podAffinity = object({
  requiredDuringSchedulingIgnoredDuringExecution: array(podAffinityTerm),
  preferredDuringSchedulingIgnoredDuringExecution: array(
    object({ weight: required(int32), podAffinityTerm: required(podAffinityTerm) }),
  ),
});

export const affinity = object({
  nodeAffinity: object({
    requiredDuringSchedulingIgnoredDuringExecution: object({ nodeSelectorTerms: array(nodeSelectorTerm) }),
    preferredDuringSchedulingIgnoredDuringExecution: array(
      object({ weight: required(int32), preference: required(nodeSelectorTerm) }),
    ),
  }),
  podAffinity,
  podAntiAffinity: podAffinity,
});

const topologySpreadConstraint = object({
  maxSkew: required(int32),
  topologyKey: required(string),
  whenUnsatisfiable: required(string),
  labelSelector,
  minDomains: int32,
  nodeAffinityPolicy: string,
  nodeTaintsPolicy: string,
  matchLabelKeys: array(string),
});

/** Fields of `corev1.PodSpec`; spread into the specs that embed it. */
export const podSpecFields = {
  volumes: array(volume),
  initContainers: array(container),
  containers: present(array(container)),
  ephemeralContainers: array(anyObject),
  restartPolicy: oneOf('Always', 'OnFailure', 'Never'),
  terminationGracePeriodSeconds: int64,
  activeDeadlineSeconds: int64,
  dnsPolicy: string,
  nodeSelector: map(string),
  serviceAccountName: string,
  serviceAccount: string,
  automountServiceAccountToken: boolean,
  nodeName: string,
  hostNetwork: plainBoolean,
  hostPID: plainBoolean,
  hostIPC: plainBoolean,
  shareProcessNamespace: boolean,
  securityContext: podSecurityContext,
  imagePullSecrets: array(object({ name: string })),
  hostname: string,
  subdomain: string,
  affinity,
  schedulerName: string,
  tolerations: array(toleration),
  hostAliases: array(object({ ip: required(string), hostnames: array(string) })),
  priorityClassName: string,
  priority: int32,
  dnsConfig: object({
    nameservers: array(string),
    searches: array(string),
    options: array(object({ name: string, value: string })),
  }),
  readinessGates: array(object({ conditionType: required(string) })),
  runtimeClassName: string,
  enableServiceLinks: boolean,
  preemptionPolicy: string,
  overhead: map(quantity),
  topologySpreadConstraints: array(topologySpreadConstraint),
  setHostnameAsFQDN: boolean,
  os: object({ name: required(string) }),
  hostUsers: boolean,
  schedulingGates: array(object({ name: required(string) })),
  resourceClaims: array(object({ name: required(string), resourceClaimName: string, resourceClaimTemplateName: string })),
  resources: resourceRequirements,
  hostnameOverride: string,
};

export const podSpec = object(podSpecFields);
export type PodSpec = TypeOf<typeof podSpec>;
