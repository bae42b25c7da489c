import {
  findCondition,
  isFalse,
  isTrue,
  livingConditionSet,
  manageConditions,
  type ConditionManager,
} from '../../api/conditions.ts';
import type { Condition } from '../../api/resource.ts';

/** Conditions of a Revision; `Active` is set too, but does not decide. Messages as upstream's revision_lifecycle.go has them. */
export const revisionConditions = livingConditionSet('ResourcesAvailable', 'ContainerHealthy');

/** The parts of a Deployment's status that decide. */
export interface DeploymentConditions {
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
}

const deploymentConditions = livingConditionSet('Progressing', 'ReplicaSetReady');

/** A Deployment's own conditions as one: failing replica sets count as failing progress. */
function deploymentReady(status: DeploymentConditions | undefined, nowMs: number): Condition | undefined {
  const ready = manageConditions(deploymentConditions, undefined, nowMs);
  ready.initialize();
  ready.markTrue('ReplicaSetReady');
  ready.markUnknown('Progressing', 'Deploying');
  for (const wanted of ['Progressing', 'ReplicaFailure']) {
    for (const { type, status: state, reason, message } of status?.conditions ?? []) {
      if (type !== wanted) continue;
      const target = wanted === 'Progressing' ? 'Progressing' : 'ReplicaSetReady';
      // A ReplicaFailure is good when it is False.
      const good = wanted === 'Progressing' ? 'True' : 'False';
      if (state === 'Unknown') ready.markUnknown(target, reason, message);
      else if (state === good) ready.markTrue(target);
      else ready.markFalse(target, reason, message);
    }
  }
  return ready.topLevel();
}

/** Takes over what the Deployment says about its resources. */
export function propagateDeploymentStatus(
  conditions: ConditionManager,
  status: DeploymentConditions | undefined,
  nowMs: number,
): void {
  const ready = deploymentReady(status, nowMs);
  if (ready?.status === 'True') conditions.markTrue('ResourcesAvailable');
  else if (ready?.status === 'False') conditions.markFalse('ResourcesAvailable', ready.reason, ready.message);
  else conditions.markUnknown('ResourcesAvailable', ready?.reason, ready?.message);
}

/** The parts of a PodAutoscaler's status that decide. */
export interface AutoscalerState {
  readonly conditions?: readonly Condition[];
  readonly serviceName?: string;
  readonly desiredScale?: number | null;
  readonly actualScale?: number | null;
}

/** Replica counts as a Revision's status shows them. */
export interface ReplicaCounts {
  actualReplicas?: number;
  desiredReplicas?: number;
}

/** Takes over activity, replica counts and whether the initial scale was ever reached from the PodAutoscaler. */
export function propagateAutoscalerStatus(
  conditions: ConditionManager,
  counts: ReplicaCounts,
  pa: AutoscalerState | undefined,
): void {
  const unavailable = isFalse(conditions.get('ResourcesAvailable')) || isFalse(conditions.get('ContainerHealthy'));
  setCount(counts, 'actualReplicas', pa?.actualScale);
  setCount(counts, 'desiredReplicas', pa?.desiredScale);
  const ready = findCondition(pa?.conditions, 'Ready');
  if (ready === undefined) {
    conditions.markUnknown('Active', 'Deploying');
    if (!unavailable) conditions.markUnknown('ResourcesAvailable', 'Deploying');
    return;
  }
  const initialized = findCondition(pa?.conditions, 'ScaleTargetInitialized')?.status === 'True';
  const served = pa?.serviceName !== undefined && pa.serviceName !== '';
  if (initialized && !unavailable) {
    conditions.markTrue('ResourcesAvailable');
    conditions.markTrue('ContainerHealthy');
  }
  if (isTrue(conditions.get('ResourcesAvailable')) && !(served && initialized))
    conditions.markUnknown('ResourcesAvailable', 'Deploying');
  if (ready.status === 'True') conditions.markTrue('Active');
  else if (ready.status === 'Unknown') conditions.markUnknown('Active', ready.reason, ready.message);
  else {
    if (!initialized && !unavailable && served) {
      conditions.markFalse('ResourcesAvailable', 'ProgressDeadlineExceeded', 'Initial scale was never achieved');
    }
    conditions.markFalse('Active', ready.reason, ready.message);
  }
}

function setCount(counts: ReplicaCounts, name: keyof ReplicaCounts, scale: number | null | undefined): void {
  if (scale !== undefined && scale !== null && scale >= 0) counts[name] = scale;
  else delete counts[name];
}

export function resourceNotOwnedMessage(kind: string, name: string): string {
  return `There is an existing ${kind} "${name}" that we do not own.`;
}

export function containerMissingMessage(image: string, message: string): string {
  return `Unable to fetch image "${image}": ${message}`;
}
