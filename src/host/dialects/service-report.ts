import { autoscalingAnnotations, hpaClass } from '../../api/autoscaling/annotation-keys.ts';
import { info, mapped, unsupported, type ReportLine } from './dialect.ts';
import { keyPath, listAt, objectAt, textAt, valueAt, type JsonObject } from './json-path.ts';
import { means, noEffect, notHere, reportKeys, type Meaning, type Vocabulary } from './vocabulary.ts';

const scaling: Record<string, Meaning> = {};
for (const [dashed, camelCase] of Object.values(autoscalingAnnotations)) {
  const name = dashed.slice(dashed.indexOf('/') + 1);
  scaling[dashed] = means(name);
  if (camelCase !== undefined) scaling[camelCase] = means(`${name} (camelCase spelling is an alias)`);
}

const serving = 'serving.knative.dev';
const networking = 'networking.knative.dev';
const queueSidecar = noEffect('there is no queue-proxy container here: the host does its work');

/** Annotations and labels of Knative itself. */
export const knativeVocabulary: Vocabulary = {
  annotations: {
    [`${serving}/creator`]: noEffect('upstream system annotation; kept'),
    [`${serving}/lastModifier`]: noEffect('upstream system annotation; kept'),
    [`${serving}/rollout-duration`]: means('seconds over which traffic moves to a new revision'),
    [`${serving}/rolloutDuration`]: means('rollout-duration (camelCase spelling is an alias)'),
    [`${networking}/`]: means('networking of the route'),
    'features.knative.dev/': noEffect('feature of the queue-proxy'),
    'kubectl.kubernetes.io/': noEffect('tool bookkeeping'),
    'client.knative.dev/': noEffect('tool bookkeeping'),
    'knative-embed.dev/dialect': noEffect('names the platform whose rules admit this object'),
  },
  labels: {
    [`${networking}/visibility`]: means('cluster-local hides the address from the outside'),
    'app.kubernetes.io/': noEffect('kept, no effect'),
    'client.knative.dev/': noEffect('tool bookkeeping'),
  },
  templateAnnotations: {
    ...scaling,
    [`${serving}/progress-deadline`]: means('time within which a revision must become ready'),
    [`${networking}/`]: means('networking of the revision'),
    'qpoption.knative.dev/*-activate': notHere('queue-proxy extensions are not loaded'),
    'qpoption.knative.dev/': noEffect('settings of a queue-proxy extension'),
    [`queue.sidecar.${serving}/`]: queueSidecar,
    'features.knative.dev/': noEffect('feature of the queue-proxy'),
    'client.knative.dev/': noEffect('tool bookkeeping'),
    'sidecar.istio.io/': noEffect('no mesh sidecar locally'),
  },
  templateLabels: {
    'sidecar.istio.io/inject': notHere('no mesh sidecar locally'),
    'app.kubernetes.io/': noEffect('kept, no effect'),
    'client.knative.dev/': noEffect('tool bookkeeping'),
  },
};

/** What is said about a Service, Configuration or Revision: its annotations, labels and the fields that mean something special here. */
export function reportService(document: JsonObject, vocabularies: readonly Vocabulary[] = []): readonly ReportLine[] {
  const known = [...vocabularies, knativeVocabulary];
  const template = objectAt(document, 'spec', 'template');
  const annotations = objectAt(template, 'metadata', 'annotations');
  return [
    ...reportOwnAnnotations(document, known),
    ...reportKeys(known, 'labels', objectAt(document, 'metadata', 'labels')),
    ...reportScaling(reportKeys(known, 'templateAnnotations', annotations), annotations),
    ...reportKeys(known, 'templateLabels', objectAt(template, 'metadata', 'labels')),
    ...reportPods(objectAt(template, 'spec')),
    ...reportNames(document),
  ];
}

/** Scaling belongs on the template; upstream refuses it on the object itself. */
function reportOwnAnnotations(document: JsonObject, known: readonly Vocabulary[]): readonly ReportLine[] {
  return reportKeys(known, 'annotations', objectAt(document, 'metadata', 'annotations')).map((line) =>
    line.path.includes("['autoscaling.knative.dev")
      ? {
          ...line,
          level: 'error',
          message: 'autoscaling annotations belong on the revision template',
          suggestion: line.path.replace('metadata.', 'spec.template.metadata.'),
        }
      : line,
  );
}

function reportScaling(lines: readonly ReportLine[], annotations: JsonObject | undefined): readonly ReportLine[] {
  const shadowed = new Map<string, string>();
  for (const [dashed, camelCase] of Object.values(autoscalingAnnotations)) {
    if (camelCase === undefined || annotations === undefined) continue;
    if (Object.hasOwn(annotations, dashed) && Object.hasOwn(annotations, camelCase)) shadowed.set(camelCase, dashed);
  }
  const base = 'spec.template.metadata.annotations';
  return lines.map((line) => {
    for (const [camelCase, dashed] of shadowed) {
      if (line.path === keyPath(base, camelCase)) {
        return { ...line, level: 'unsupported', message: `a second spelling of one setting: ${dashed} wins`, suggestion: dashed };
      }
    }
    const isClass = line.path === keyPath(base, autoscalingAnnotations.class[0]);
    return isClass && line.value === hpaClass
      ? { ...line, level: 'unsupported', message: 'this class scales through the Kubernetes HPA, which is not here' }
      : line;
  });
}

function reportPods(spec: JsonObject | undefined): readonly ReportLine[] {
  const base = 'spec.template.spec';
  const lines: ReportLine[] = [];
  listAt(spec, 'containers').forEach((container, index) => {
    const path = `${base}.containers[${index}]`;
    if (valueAt(container, 'image') !== undefined)
      lines.push(mapped(`${path}.image`, 'revision image', textAt(container, 'image')));
    if (objectAt(container, 'resources') !== undefined) {
      lines.push(info(`${path}.resources`, 'not enforced for local processes'));
    }
    listAt(container, 'ports').forEach((port, at) => {
      const name = textAt(port, 'name');
      if (name === 'h2c') lines.push(mapped(`${path}.ports[${at}].name`, 'HTTP/2 cleartext to the container', name));
    });
  });
  listAt(spec, 'volumes').forEach((volume, index) => {
    const path = `${base}.volumes[${index}]`;
    const name = textAt(volume, 'name');
    if (valueAt(volume, 'emptyDir') !== undefined) {
      lines.push(mapped(`${path}.emptyDir`, 'one temporary directory per instance, shared by its processes', name));
    }
    for (const kind of ['secret', 'configMap', 'projected'] as const) {
      if (valueAt(volume, kind) !== undefined) lines.push(mapped(`${path}.${kind}`, 'files in a directory per instance', name));
    }
    for (const kind of ['csi', 'persistentVolumeClaim', 'hostPath', 'nfs'] as const) {
      if (valueAt(volume, kind) !== undefined) {
        lines.push(unsupported(`${path}.${kind}`, 'needs a directory mapping in the host configuration'));
      }
    }
  });
  return lines;
}

function reportNames(document: JsonObject): readonly ReportLine[] {
  const lines: ReportLine[] = [];
  const name = textAt(document, 'spec', 'template', 'metadata', 'name');
  if (name !== undefined) lines.push(mapped('spec.template.metadata.name', 'explicit revision name', name));
  if (listAt(document, 'spec', 'traffic').length > 0) lines.push(mapped('spec.traffic', 'shares and tagged addresses'));
  return lines;
}
