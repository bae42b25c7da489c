import type { ContainerStatus as PodContainerStatus, Pod } from '../../api/core/pod.ts';
import { rfc3339 } from '../../time.ts';
import type { ContainerState, ContainerStatus, InstanceStatus } from '../runtimes/runtime.ts';

type PodStatus = NonNullable<Pod['status']>;

/** Pod status of a running instance, as a kubelet reports it. */
export function podStatus(pod: Pod, instance: InstanceStatus, nowMs: number): PodStatus {
  return {
    phase: instance.phase,
    hostIP: '127.0.0.1',
    podIP: '127.0.0.1',
    podIPs: [{ ip: '127.0.0.1' }],
    startTime: rfc3339(instance.startedAtMs),
    conditions: conditions(pod, instance.ready && instance.phase === 'Running', unready(instance), nowMs),
    ...(instance.initContainers.length > 0 ? { initContainerStatuses: instance.initContainers.map(containerStatus) } : {}),
    containerStatuses: instance.containers.map(containerStatus),
  };
}

/** Pod status while something that its containers refer to is missing. */
export function blockedPodStatus(pod: Pod, message: string, nowMs: number): PodStatus {
  return {
    phase: 'Pending',
    startTime: pod.status?.startTime ?? rfc3339(nowMs),
    conditions: conditions(pod, false, 'containers cannot be created', nowMs),
    containerStatuses: (pod.spec.containers ?? []).map(({ name, image = '' }) => ({
      name,
      image,
      ready: false,
      restartCount: 0,
      state: { waiting: { reason: 'CreateContainerConfigError', message } },
    })),
  };
}

function unready(instance: InstanceStatus): string {
  const names = instance.containers.filter(({ ready }) => !ready).map(({ name }) => name);
  return `containers with unready status: [${names.join(' ')}]`;
}

function conditions(pod: Pod, ready: boolean, message: string, nowMs: number): NonNullable<PodStatus['conditions']> {
  const previous = pod.status?.conditions ?? [];
  const condition = (type: string, status: 'True' | 'False'): NonNullable<PodStatus['conditions']>[number] => {
    const old = previous.find((candidate) => candidate.type === type);
    const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? rfc3339(nowMs)) : rfc3339(nowMs);
    const why = status === 'False' ? { reason: 'ContainersNotReady', message } : {};
    return { type, status, lastTransitionTime, ...why };
  };
  const state = ready ? 'True' : 'False';
  return [
    condition('PodScheduled', 'True'),
    condition('Initialized', 'True'),
    condition('ContainersReady', state),
    condition('Ready', state),
  ];
}

function containerStatus(status: ContainerStatus): PodContainerStatus {
  return {
    name: status.name,
    image: status.image,
    imageID: '',
    ready: status.ready,
    started: status.started,
    restartCount: status.restartCount,
    state: containerState(status.state),
    ...(status.lastTerminated === undefined
      ? {}
      : { lastState: containerState({ kind: 'terminated', ...status.lastTerminated }) }),
  };
}

function containerState(state: ContainerState): NonNullable<PodContainerStatus['state']> {
  switch (state.kind) {
    case 'waiting':
      return { waiting: { reason: state.reason, message: state.message } };
    case 'running':
      return { running: { startedAt: rfc3339(state.startedAtMs) } };
    case 'terminated':
      return {
        terminated: {
          exitCode: state.exitCode,
          reason: state.reason,
          message: state.message,
          ...(state.startedAtMs === undefined ? {} : { startedAt: rfc3339(state.startedAtMs) }),
          finishedAt: rfc3339(state.finishedAtMs),
        },
      };
  }
}
