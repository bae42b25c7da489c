import { mapped, unsupported, type Dialect, type Translation } from './dialect.ts';
import { applyVisibility, isKnativeService, mentionsCloudRun } from './cloud-run.ts';
import { cloudRunVocabulary } from './cloud-run-vocabulary.ts';
import { groupOf, objectAt, textAt, textEntries, type JsonObject } from './json-path.ts';
import { reportService } from './service-report.ts';

/** Cloud Run for Anthos (on GKE): real Knative underneath, with older labels, domain mappings and event sources of its own. */
export const cloudRunAnthos: Dialect = {
  name: 'cloud-run-anthos',
  recognizes: (document) =>
    groupOf(document) === 'domains.cloudrun.com' ||
    groupOf(document) === 'events.cloud.google.com' ||
    (isKnativeService(document) && mentionsCloudRun(document) && hasConsoleMarks(document)),
  translate(document) {
    if (groupOf(document) === 'domains.cloudrun.com') return translateDomainMapping(document);
    if (groupOf(document) === 'events.cloud.google.com') return notStarted(document);
    if (!isKnativeService(document)) return undefined;
    return { verdict: 'accept', objects: [applyVisibility(document)], report: reportService(document, [cloudRunVocabulary]) };
  },
};

/** The console and tools of the product leave these; the fully managed one does not. */
function hasConsoleMarks(document: JsonObject): boolean {
  const metadata = objectAt(document, 'metadata');
  return (
    textAt(metadata, 'labels', 'serving.knative.dev/visibility') !== undefined ||
    textEntries(metadata?.['annotations']).some(([key]) => key === 'client.knative.dev/user-image')
  );
}

function notStarted(document: JsonObject): Translation {
  const kind = textAt(document, 'kind') ?? '';
  return {
    verdict: 'report',
    objects: [],
    report: [unsupported('kind', `${kind} is not started: a source plug-in may claim the kind`)],
    effective: null,
  };
}

function translateDomainMapping(document: JsonObject): Translation {
  const metadata = objectAt(document, 'metadata') ?? {};
  const route = textAt(document, 'spec', 'routeName') ?? '';
  const host = textAt(metadata, 'name') ?? '';
  return {
    verdict: 'translate',
    objects: [
      {
        apiVersion: 'serving.knative.dev/v1beta1',
        kind: 'DomainMapping',
        metadata,
        spec: { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Route', name: route } },
      },
    ],
    report: [mapped('spec.routeName', `requests for ${host} go to Route ${route}`, route)],
  };
}
