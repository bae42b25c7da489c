import type { Deployment } from '../../api/apps/deployment.ts';
import { podAutoscalers } from '../../api/autoscaling/pod-autoscaler.ts';
import { images } from '../../api/caching/image.ts';
import { isTrue } from '../../api/conditions.ts';
import type { Reader, Reconciler } from '../../api/reconciler.ts';
import { revisions, type Revision, type RevisionStatus } from '../../api/serving/revision.ts';
import { autoscalingAnnotations } from '../../api/autoscaling/annotation-keys.ts';
import { semanticEqual } from '../equal.ts';
import { imageDigestFact, type ImageDigest } from '../facts.ts';
import {
  containerMissingMessage,
  propagateAutoscalerStatus,
  resourceNotOwnedMessage,
  revisionConditions,
} from '../lifecycle/revision.ts';
import { isReady } from '../lifecycle/readiness.ts';
import { isControlledBy } from '../metadata.ts';
import { failPass, runPass, type Pass } from '../pass.ts';
import { imageName, makeImage } from '../resources/image.ts';
import { annotationsDiffer, makePodAutoscaler, syncAnnotations } from '../resources/pod-autoscaler.ts';
import { revisionConfig, type RevisionConfig } from '../resources/revision-config.ts';
import { syncQueueProxyCertificate } from './revision-certificate.ts';
import { syncDeployment } from './revision-deployment.ts';

/** Revision → image digests, then Deployment, image caches and PodAutoscaler; ready when all of them are. */
export const revisionReconciler: Reconciler<Revision> = {
  name: 'revision',
  kind: revisions,
  reconcile(revision, world, nowMs) {
    const config = revisionConfig(world);
    return runPass<RevisionStatus>(revision, revisionConditions, nowMs, {}, (pass) => {
      const wasReady = isReady(revision);
      const { loggingUrlTemplate } = config.observability;
      delete pass.status.logUrl;
      if (loggingUrlTemplate !== '') {
        pass.status.logUrl = loggingUrlTemplate.replaceAll('${REVISION_UID}', revision.metadata.uid ?? '');
      }
      if (!resolveDigests(pass, revision, config, world)) {
        pass.conditions.markUnknown('ResourcesAvailable', 'ResolvingDigests');
        return;
      }
      if (config.network.systemInternalTLS === 'enabled') {
        syncQueueProxyCertificate(pass, revision, config.network.defaultCertificateClass, world);
      }
      const resolved = { ...revision, status: pass.status };
      const deployment = syncDeployment(pass, resolved, config, world);
      createImages(pass, resolved, world);
      syncPodAutoscaler(pass, resolved, deployment, config, world);
      if (!wasReady && isTrue(pass.conditions.topLevel())) {
        pass.event('RevisionReady', 'Revision becomes ready upon all resources being ready');
      }
    });
  },
};

/** Asks for the digest of every image; false while an answer is missing. A digest once found is never asked for again. */
function resolveDigests(pass: Pass<RevisionStatus>, revision: Revision, config: RevisionConfig, world: Reader): boolean {
  const { spec, metadata } = revision;
  const { containerStatuses = [], initContainerStatuses = [] } = pass.status;
  const initContainers = spec.initContainers ?? [];
  if (containerStatuses.length + initContainerStatuses.length === spec.containers.length + initContainers.length) return true;
  const params = {
    namespace: metadata.namespace ?? '',
    serviceAccountName: spec.serviceAccountName ?? '',
    imagePullSecrets: (spec.imagePullSecrets ?? []).map(({ name = '' }) => name),
    registriesSkippingTagResolving: config.deployment.registriesSkippingTagResolving,
    timeoutMs: config.deployment.digestResolutionTimeoutMs,
  };
  const digests = new Map<string, ImageDigest | undefined>();
  for (const { image = '' } of [...initContainers, ...spec.containers]) {
    if (!digests.has(image)) digests.set(image, world.fact(imageDigestFact(image, params)));
  }
  for (const [image, answer] of digests) {
    if (answer === undefined || !('error' in answer)) continue;
    const message = `${containerMissingMessage(image, 'failed to resolve image to digest')}: ${answer.error}`;
    pass.conditions.markFalse('ContainerHealthy', 'ContainerMissing', message);
    failPass(message);
  }
  const digestOf = (image: string): string => {
    const answer = digests.get(image);
    return answer !== undefined && 'digest' in answer ? answer.digest : '';
  };
  if ([...digests.values()].includes(undefined)) return false;
  const statusesOf = (list: typeof spec.containers): NonNullable<RevisionStatus['containerStatuses']> =>
    list.map(({ name = '', image = '' }) => ({ name, imageDigest: digestOf(image) }));
  pass.status.containerStatuses = statusesOf(spec.containers);
  if (initContainers.length > 0) pass.status.initContainerStatuses = statusesOf(initContainers);
  return true;
}

function createImages(pass: Pass<RevisionStatus>, revision: Revision, world: Reader): void {
  const { containerStatuses = [], initContainerStatuses = [] } = pass.status;
  for (const { name = '', imageDigest = '' } of [...containerStatuses, ...initContainerStatuses]) {
    const existing = world.get(images, revision.metadata.namespace, imageName(revision, name));
    if (existing === undefined) pass.create(images, makeImage(revision, name, imageDigest));
  }
}

function syncPodAutoscaler(
  pass: Pass<RevisionStatus>,
  revision: Revision,
  deployment: Deployment,
  config: RevisionConfig,
  world: Reader,
): void {
  const { name, namespace } = revision.metadata;
  const existing = world.get(podAutoscalers, namespace, name);
  if (existing !== undefined && !isControlledBy(existing, revision)) {
    pass.conditions.markFalse('ResourcesAvailable', 'NotOwned', resourceNotOwnedMessage('PodAutoscaler', name));
    failPass(`revision: "${name}" does not own PodAutoscaler: "${name}"`);
  }
  // Reachability depends on the conditions as this pass has found them so far.
  const judged = (): Revision => ({ ...revision, status: { ...pass.status, conditions: pass.conditions.conditions } });
  if (existing === undefined) {
    const made = makePodAutoscaler(judged(), deployment);
    const annotations = made.metadata.annotations ?? {};
    const [classKey] = autoscalingAnnotations.class;
    if (annotations[classKey] === undefined) annotations[classKey] = config.autoscaler.podAutoscalerClass;
    pass.create(podAutoscalers, { ...made, metadata: { ...made.metadata, annotations } });
  }
  propagateAutoscalerStatus(pass.conditions, pass.status, existing?.status);
  if (existing === undefined) return;
  const desired = makePodAutoscaler(judged(), deployment);
  const current = existing.metadata.annotations;
  if (semanticEqual(existing.spec, desired.spec) && !annotationsDiffer(current, desired.metadata.annotations)) return;
  pass.update(podAutoscalers, {
    ...existing,
    spec: desired.spec,
    metadata: { ...existing.metadata, annotations: syncAnnotations(current, desired.metadata.annotations) },
  });
}
