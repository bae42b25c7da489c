import { deployments, type Deployment } from '../../api/apps/deployment.ts';
import { autoscalingAnnotations, findAnnotation } from '../../api/autoscaling/annotation-keys.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { revisions, type Revision } from '../../api/serving/revision.ts';
import { parseGoDuration } from '../../duration.ts';
import { childName } from '../../api/child-name.ts';
import { fnv1a32 } from '../hash/fnv.ts';
import { annotationKeys, annotationSpellings, annotationValue, labelKeys } from '../keys.ts';
import { controllerReference, withoutKeys, type StringMap } from '../metadata.ts';
import { makePodSpec } from './pod-spec.ts';
import type { RevisionConfig } from './revision-config.ts';
import { servingContainer } from './revision-containers.ts';
import { revisionChildLabels, workloadAnnotations } from './revision-metadata.ts';

export function deploymentName(revision: Revision): string {
  return childName(revision.metadata.name, '-deployment');
}

/**
 * The Deployment of a Revision, or the error that keeps it from being made. A label carries a hash of all that was made, so that
 * later passes compare one text; it is ours, not upstream's.
 */
export function makeDeployment(revision: Revision, config: RevisionConfig): Deployment | { readonly error: string } {
  const { metadata } = revision;
  const pod = makePodSpec(revision, config);
  if ('error' in pod) return { error: `failed to create PodSpec: ${pod.error}` };
  const labels = revisionChildLabels(revision);
  const annotations = workloadAnnotations(revision);
  const container = servingContainer(revision.spec)?.name ?? '';
  const spec: Deployment['spec'] = {
    replicas: initialScaleOf(revision, config),
    selector: { matchLabels: { [labelKeys.revisionUid]: metadata.uid ?? '' } },
    progressDeadlineSeconds: progressDeadlineSecondsOf(revision, config),
    revisionHistoryLimit: 0,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } },
    template: {
      metadata: {
        labels,
        annotations: container === '' ? annotations : { ...annotations, [annotationKeys.defaultContainer]: container },
      },
      spec: pod,
    },
  };
  const hash = fnv1a32(JSON.stringify([spec, annotations, labels])).toString(36);
  return {
    apiVersion: apiVersionOf(deployments),
    kind: deployments.kind,
    metadata: {
      name: deploymentName(revision),
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
      labels: { ...labels, [labelKeys.deploymentHash]: hash },
      annotations,
      ownerReferences: [controllerReference(revisions, revision)],
    },
    spec,
  };
}

/**
 * The existing Deployment brought up to date; replicas and selector stay (the autoscaler owns the one, Kubernetes forbids to change
 * the other), as do labels and annotations of others. The same object when nothing changed.
 */
export function updateDeployment(existing: Deployment, desired: Deployment): Deployment {
  if (existing.metadata.labels?.[labelKeys.deploymentHash] === desired.metadata.labels?.[labelKeys.deploymentHash])
    return existing;
  const { replicas } = existing.spec;
  const template = existing.spec.template.metadata;
  return {
    ...existing,
    metadata: {
      ...existing.metadata,
      labels: mergeMetadata(desired.metadata.labels, existing.metadata.labels),
      annotations: mergeMetadata(desired.metadata.annotations, existing.metadata.annotations),
    },
    spec: {
      ...desired.spec,
      ...(replicas !== undefined && { replicas }),
      selector: existing.spec.selector,
      template: {
        ...desired.spec.template,
        metadata: {
          ...desired.spec.template.metadata,
          labels: mergeMetadata(desired.spec.template.metadata.labels, template.labels),
          annotations: mergeMetadata(desired.spec.template.metadata.annotations, template.annotations),
        },
      },
    },
  };
}

/** What is wanted, and what others have put there. */
function mergeMetadata(desired: StringMap | undefined, current: StringMap | undefined): Record<string, string> {
  return { ...desired, ...withoutKeys(current, (key) => key === labelKeys.app || key.includes('knative.dev/')) };
}

function initialScaleOf(revision: Revision, config: RevisionConfig): number {
  const text = findAnnotation(revision.metadata.annotations, autoscalingAnnotations.initialScale)?.value;
  return text === undefined ? config.autoscaler.initialScale : Number.parseInt(text, 10) || 0;
}

function progressDeadlineSecondsOf(revision: Revision, config: RevisionConfig): number {
  const text = annotationValue(revision.metadata.annotations, annotationSpellings.progressDeadline);
  const ms = text === undefined ? config.deployment.progressDeadlineMs : (parseGoDuration(text) ?? 0);
  return Math.trunc(ms / 1_000);
}
