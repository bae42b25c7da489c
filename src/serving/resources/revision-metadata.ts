import type { Revision } from '../../api/serving/revision.ts';
import { annotationKeys, labelKeys } from '../keys.ts';
import { withoutKeys } from '../metadata.ts';

const excludedLabels = new Set<string>([labelKeys.route, labelKeys.routingState]);
/** What says how a revision is used, not what it is: a change must not reach its pods. */
const excludedAnnotations = new Set<string>([
  annotationKeys.lastPinned,
  annotationKeys.noGc,
  annotationKeys.routingStateModified,
  annotationKeys.routes,
]);

/** Labels of everything that a Revision makes. */
export function revisionChildLabels(revision: Revision): Record<string, string> {
  const labels = withoutKeys(revision.metadata.labels, (key) => excludedLabels.has(key));
  labels[labelKeys.revision] = revision.metadata.name;
  labels[labelKeys.revisionUid] = revision.metadata.uid ?? '';
  labels[labelKeys.app] ??= revision.metadata.name;
  return labels;
}

/** Annotations of the Deployment, its pods and the images: those of the autoscaler stay away, so that they roll nothing. */
export function workloadAnnotations(revision: Revision): Record<string, string> {
  return withoutKeys(
    revision.metadata.annotations,
    (key) => excludedAnnotations.has(key) || key.startsWith('autoscaling.knative.dev'),
  );
}

export function podAutoscalerAnnotations(revision: Revision): Record<string, string> {
  return withoutKeys(revision.metadata.annotations, (key) => excludedAnnotations.has(key));
}
