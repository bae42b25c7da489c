import { info, unsupported, type Dialect, type ReportLine, type Translation } from './dialect.ts';
import { cloudRunJob } from './cloud-run-job.ts';
import { startOrder } from './cloud-run-start-order.ts';
import { readSecrets } from './cloud-run-secrets.ts';
import { cloudRunVocabulary } from './cloud-run-vocabulary.ts';
import { keyPath, listAt, numberAt, objectAt, textAt, textEntries, valueAt, withChanges, type JsonObject } from './json-path.ts';
import { reportService } from './service-report.ts';

const run = (name: string): string => `run.googleapis.com/${name}`;

/** Cloud Run, fully managed: exported services apply, with its own defaults (80 requests at once) and ceilings (an hour). */
export const cloudRun: Dialect = {
  name: 'cloud-run',
  recognizes: (document) => mentionsCloudRun(document) || isCloudRunKind(document),
  config: {
    'config-defaults': { 'max-revision-timeout-seconds': '3600', 'container-concurrency': '80' },
    'config-features': {
      'multi-container-probing': 'enabled',
      'kubernetes.podspec-volumes-csi': 'enabled',
      'kubernetes.podspec-volumes-emptydir': 'enabled',
      'kubernetes.podspec-init-containers': 'enabled',
      'kubernetes.podspec-nodeselector': 'enabled',
    },
  },
  translate: (document) => {
    if (isCloudRunKind(document)) return cloudRunJob(document);
    return isKnativeService(document) ? translateService(document) : undefined;
  },
};

export const isKnativeService = (document: JsonObject): boolean =>
  document['kind'] === 'Service' && String(document['apiVersion']).startsWith('serving.knative.dev/');

const isCloudRunKind = (document: JsonObject): boolean =>
  String(document['apiVersion']).startsWith('run.googleapis.com/') && document['kind'] === 'Job';

/** True when any annotation or label is one of Cloud Run's. */
export function mentionsCloudRun(document: JsonObject): boolean {
  const places = [document['metadata'], valueAt(document, 'spec', 'template', 'metadata')];
  return places.some((metadata) =>
    (['annotations', 'labels'] as const).some((place) =>
      textEntries(valueAt(metadata, place)).some(([key]) => key.startsWith('run.googleapis.com/')),
    ),
  );
}

function translateService(document: JsonObject): Translation {
  const secrets = readSecrets(document);
  const account = normalizeAccount(secrets.document);
  const scaled = applyScaling(normalizePods(account.document));
  const visible = applyVisibility(scaled);
  const order = startOrder(document);
  const effective: JsonObject = {};
  if (secrets.needed.length > 0) effective['secretsNeeded'] = secrets.needed;
  if (order !== undefined) effective['startOrder'] = order;
  if (textAt(document, 'spec', 'template', 'metadata', 'annotations', run('sessionAffinity')) === 'true') {
    effective['sessionAffinity'] = true;
  }
  return {
    verdict: 'accept',
    objects: [visible],
    report: [
      ...reportService(document, [cloudRunVocabulary]).map((line) => nameAliases(line, secrets.aliases)),
      ...account.report,
      ...secrets.report,
      ...reportNodeSelector(document),
    ],
    effective,
  };
}

/** The table itself is long; which names are aliases is what matters. */
function nameAliases(line: ReportLine, aliases: readonly string[]): ReportLine {
  return line.path === keyPath('spec.template.metadata.annotations', run('secrets'))
    ? { ...line, value: aliases.join(', ') }
    : line;
}

interface Normalized {
  readonly document: JsonObject;
  readonly report: readonly ReportLine[];
}

/** A Google identity is no Kubernetes ServiceAccount; it is taken out of the spec and kept as an annotation. */
export function normalizeAccount(document: JsonObject): Normalized {
  const spec = objectAt(document, 'spec', 'template', 'spec');
  const account = textAt(spec, 'serviceAccountName');
  if (spec === undefined || account?.includes('@') !== true) return { document, report: [] };
  const { serviceAccountName: _, ...rest } = spec;
  const template = { ...objectAt(document, 'spec', 'template'), spec: rest };
  const changed = withChanges(document, ['spec'], { template });
  return {
    document: withChanges(changed, ['spec', 'template', 'metadata', 'annotations'], { [run('service-account')]: account }),
    report: [
      info(
        'spec.template.spec.serviceAccountName',
        'a Google identity, not a Kubernetes ServiceAccount; not enforced here',
        account,
      ),
    ],
  };
}

/**
 * A concurrency of 0 is the default there, not "no limit"; NFS volumes, which Knative does not know, become CSI volumes, which it admits
 * and which a directory mapping of the host can serve.
 */
function normalizePods(document: JsonObject): JsonObject {
  const spec = objectAt(document, 'spec', 'template', 'spec');
  if (spec === undefined) return document;
  const { containerConcurrency, ...rest } = spec;
  const volumes = listAt(spec, 'volumes');
  const changed: JsonObject = containerConcurrency === 0 ? rest : { ...spec };
  if (volumes.some((volume) => objectAt(volume, 'nfs') !== undefined)) changed['volumes'] = volumes.map(withoutNfs);
  const template = { ...objectAt(document, 'spec', 'template'), spec: changed };
  return { ...document, spec: { ...objectAt(document, 'spec'), template } };
}

function withoutNfs(volume: unknown): unknown {
  const nfs = objectAt(volume, 'nfs');
  if (nfs === undefined) return volume;
  const { nfs: _, ...rest } = objectAt(volume) ?? {};
  const attributes = Object.fromEntries(textEntries(nfs).filter(([key]) => key !== 'readOnly'));
  const readOnly = nfs['readOnly'] === true ? { readOnly: true } : {};
  return { ...rest, csi: { driver: 'nfs.run.googleapis.com', ...readOnly, volumeAttributes: attributes } };
}

/** Service-level limits lie over those of the template; manual scaling fixes both. */
function applyScaling(document: JsonObject): JsonObject {
  const own = objectAt(document, 'metadata', 'annotations');
  const manual = textAt(own, run('scalingMode')) === 'manual' ? textAt(own, run('manualInstanceCount')) : undefined;
  const changes: JsonObject = {};
  if (manual !== undefined) {
    changes['autoscaling.knative.dev/min-scale'] = manual;
    changes['autoscaling.knative.dev/max-scale'] = manual;
  } else {
    const annotations = objectAt(document, 'spec', 'template', 'metadata', 'annotations');
    const least = numberAt(own, run('minScale'));
    const most = numberAt(own, run('maxScale'));
    const current =
      numberAt(annotations, 'autoscaling.knative.dev/min-scale') ?? numberAt(annotations, 'autoscaling.knative.dev/minScale');
    const limit =
      numberAt(annotations, 'autoscaling.knative.dev/max-scale') ?? numberAt(annotations, 'autoscaling.knative.dev/maxScale');
    if (least !== undefined && least > (current ?? 0)) changes['autoscaling.knative.dev/min-scale'] = String(least);
    if (most !== undefined && (limit === undefined || limit === 0 || most < limit)) {
      changes['autoscaling.knative.dev/max-scale'] = String(most);
    }
  }
  if (Object.keys(changes).length === 0) return document;
  return withChanges(document, ['spec', 'template', 'metadata', 'annotations'], changes);
}

/** Internal ingress, and the older label, mean a cluster-local address. */
export function applyVisibility(document: JsonObject): JsonObject {
  const ingress = textAt(document, 'metadata', 'annotations', run('ingress')) ?? 'all';
  const old = textAt(document, 'metadata', 'labels', 'serving.knative.dev/visibility');
  if (ingress === 'all' && old !== 'cluster-local') return document;
  return withChanges(document, ['metadata', 'labels'], { 'networking.knative.dev/visibility': 'cluster-local' });
}

function reportNodeSelector(document: JsonObject): readonly ReportLine[] {
  const selector = objectAt(document, 'spec', 'template', 'spec', 'nodeSelector');
  if (selector === undefined) return [];
  return [unsupported('spec.template.spec.nodeSelector', 'there are no nodes with accelerators here')];
}
