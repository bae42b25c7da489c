import type { Kind } from '../kind.ts';
import {
  any,
  array,
  boolean,
  int32,
  int64,
  map,
  object,
  oneOf,
  present,
  quantity,
  required,
  string,
  type TypeOf,
} from '../schema.ts';
import { resourceFields } from './metadata.ts';
import { podSpec } from './pod-spec.ts';

const containerState = object({
  waiting: object({ reason: string, message: string }),
  running: object({ startedAt: string }),
  terminated: object({
    exitCode: present(int32),
    signal: int32,
    reason: string,
    message: string,
    startedAt: string,
    finishedAt: string,
    containerID: string,
  }),
});

export const containerStatus = object({
  name: required(string),
  state: containerState,
  lastState: containerState,
  ready: present(boolean),
  restartCount: present(int32),
  image: string,
  imageID: string,
  containerID: string,
  started: boolean,
  allocatedResources: map(quantity),
  resources: any,
  volumeMounts: array(any),
  user: any,
  stopSignal: string,
});
export type ContainerStatus = TypeOf<typeof containerStatus>;

/** A condition of a Pod, which has no severity but a probe time. */
export const podCondition = object({
  type: required(string),
  status: required(oneOf('True', 'False', 'Unknown')),
  observedGeneration: int64,
  lastProbeTime: string,
  lastTransitionTime: string,
  reason: string,
  message: string,
});

const podSchema = object({
  ...resourceFields,
  spec: present(podSpec),
  status: object({
    observedGeneration: int64,
    phase: oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
    conditions: array(podCondition),
    message: string,
    reason: string,
    nominatedNodeName: string,
    hostIP: string,
    hostIPs: array(object({ ip: string })),
    podIP: string,
    podIPs: array(object({ ip: string })),
    startTime: string,
    initContainerStatuses: array(containerStatus),
    containerStatuses: array(containerStatus),
    ephemeralContainerStatuses: array(containerStatus),
    qosClass: string,
    resize: string,
  }),
});
export type Pod = TypeOf<typeof podSchema>;

export const pods: Kind<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  namespaced: true,
  schema: podSchema,
  statusSubresource: true,
};
