import { deployments, type Deployment } from '../../api/apps/deployment.ts';
import { pods, type Pod } from '../../api/core/pod.ts';
import type { Reader } from '../../api/reconciler.ts';
import type { Revision, RevisionStatus } from '../../api/serving/revision.ts';
import { propagateDeploymentStatus, resourceNotOwnedMessage } from '../lifecycle/revision.ts';
import { isControlledBy } from '../metadata.ts';
import { failPass, type Pass } from '../pass.ts';
import { deploymentName, makeDeployment, updateDeployment } from '../resources/deployment.ts';
import { queueContainerName } from '../resources/queue-proxy.ts';
import type { RevisionConfig } from '../resources/revision-config.ts';

/** Makes or updates the Deployment, and takes over what it and its first pod say. */
export function syncDeployment(
  pass: Pass<RevisionStatus>,
  revision: Revision,
  config: RevisionConfig,
  world: Reader,
): Deployment {
  const name = deploymentName(revision);
  const existing = world.get(deployments, revision.metadata.namespace, name);
  if (existing === undefined) {
    pass.conditions.markUnknown('ResourcesAvailable', 'Deploying');
    pass.conditions.markUnknown('ContainerHealthy', 'Deploying');
    const desired = makeDeployment(revision, config);
    if ('error' in desired) failPass(`failed to create deployment "${name}": failed to make deployment: ${desired.error}`);
    return pass.create(deployments, desired);
  }
  if (!isControlledBy(existing, revision)) {
    pass.conditions.markFalse('ResourcesAvailable', 'NotOwned', resourceNotOwnedMessage('Deployment', name));
    failPass(`revision: "${revision.metadata.name}" does not own Deployment: "${name}"`);
  }
  const desired = makeDeployment(revision, config);
  if ('error' in desired) failPass(`failed to update deployment "${name}": failed to update deployment: ${desired.error}`);
  const deployment = updateDeployment(existing, desired);
  if (deployment !== existing) pass.update(deployments, deployment);

  propagateDeploymentStatus(pass.conditions, deployment.status, pass.nowMs);
  if ((deployment.spec.replicas ?? 0) > 0 && (deployment.status?.availableReplicas ?? 0) === 0) {
    const [pod] = world.list(pods, {
      ...(revision.metadata.namespace !== undefined && { namespace: revision.metadata.namespace }),
      labels: deployment.spec.selector.matchLabels ?? {},
    });
    if (pod !== undefined) judgePod(pass, pod, deployment, config.deployment.podIsAlwaysSchedulable);
  }
  if ((deployment.status?.readyReplicas ?? 0) > 0) pass.conditions.markTrue('ContainerHealthy');
  return deployment;
}

/** One pod stands for all: a revision's pods are alike. */
function judgePod(pass: Pass<RevisionStatus>, pod: Pod, deployment: Deployment, alwaysSchedulable: boolean): void {
  const { conditions } = pass;
  if (!alwaysSchedulable) {
    const scheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
    if (scheduled !== undefined) conditions.markFalse('ResourcesAvailable', scheduled.reason, scheduled.message);
  }
  for (const status of pod.status?.containerStatuses ?? []) {
    if (status.name === queueContainerName) continue;
    const terminated = status.lastState?.terminated;
    const waiting = status.state?.waiting;
    if (terminated !== undefined) {
      const message = terminated.message ?? '';
      const text = terminated.exitCode === 0 && message === '' ? 'container exited with no error' : message;
      conditions.markFalse('ContainerHealthy', `ExitCode${terminated.exitCode}`, `Container failed with: ${text}`);
      return;
    }
    // While the deadline has not passed a pull may still succeed.
    if (waiting !== undefined && hasTimedOut(deployment)) {
      conditions.markFalse('ResourcesAvailable', waiting.reason, waiting.message);
      return;
    }
  }
}

function hasTimedOut(deployment: Deployment): boolean {
  return (deployment.status?.conditions ?? []).some(
    ({ type, status, reason }) => type === 'Progressing' && status === 'False' && reason === 'ProgressDeadlineExceeded',
  );
}
