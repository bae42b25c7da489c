import { mapped, type DialectContext, type ReportLine, type Translation } from './dialect.ts';
import { asObject, listAt, numberAt, objectAt, textAt, valueAt, type JsonObject } from './json-path.ts';

/** A Deployer becomes a Configuration and the Route to it; without an ingress policy it is reachable inside only. */
export function translateDeployer(document: JsonObject, context: DialectContext): Translation {
  const spec = objectAt(document, 'spec');
  const metadata = objectAt(document, 'metadata') ?? {};
  const name = textAt(metadata, 'name') ?? '';
  const policy = textAt(spec, 'ingressPolicy') ?? 'ClusterLocal';
  const labels: JsonObject = { ...objectAt(metadata, 'labels') };
  if (policy === 'ClusterLocal') labels['networking.knative.dev/visibility'] = 'cluster-local';
  const own = Object.keys(labels).length === 0 ? metadata : { ...metadata, labels };
  return {
    verdict: 'translate',
    objects: [
      {
        apiVersion: 'serving.knative.dev/v1',
        kind: 'Configuration',
        metadata: own,
        spec: { template: makeTemplate(spec, context) },
      },
      {
        apiVersion: 'serving.knative.dev/v1',
        kind: 'Route',
        metadata: own,
        spec: { traffic: [{ configurationName: name, percent: 100 }] },
      },
    ],
    report: reportDeployer(spec, policy),
    effective: { kind: 'Configuration+Route', visibility: policy === 'ClusterLocal' ? 'cluster-local' : 'public' },
  };
}

function makeTemplate(spec: JsonObject | undefined, context: DialectContext): JsonObject {
  const template = objectAt(spec, 'template');
  const annotations: JsonObject = { ...objectAt(template, 'metadata', 'annotations') };
  const least = numberAt(spec, 'scale', 'min');
  const most = numberAt(spec, 'scale', 'max');
  if (least !== undefined) annotations['autoscaling.knative.dev/min-scale'] = String(least);
  if (most !== undefined) annotations['autoscaling.knative.dev/max-scale'] = String(most);
  const podSpec = objectAt(template, 'spec');
  const given = listAt(podSpec, 'containers');
  const built = builtImage(spec, context);
  const containers = (given.length === 0 ? [{}] : given).map((container, index) =>
    index === 0 && built !== undefined && textAt(container, 'image') === undefined
      ? { ...asObject(container), image: built }
      : container,
  );
  const concurrency = numberAt(spec, 'containerConcurrency');
  return {
    metadata: { ...objectAt(template, 'metadata'), annotations },
    spec: { ...podSpec, containers, ...(concurrency === undefined ? {} : { containerConcurrency: concurrency }) },
  };
}

const buildKinds = { functionRef: 'Function', applicationRef: 'Application', containerRef: 'Container' } as const;

/** The image of what is built: the one that its document in the file names, else one made up from its name. */
function builtImage(spec: JsonObject | undefined, context: DialectContext): string | undefined {
  for (const [field, kind] of Object.entries(buildKinds)) {
    const name = textAt(spec, 'build', field);
    if (name === undefined) continue;
    const built = context.documents.find(
      (document) => document['kind'] === kind && textAt(document, 'metadata', 'name') === name,
    );
    return textAt(built, 'spec', 'image') ?? `dev.local/${name}`;
  }
  return undefined;
}

function reportDeployer(spec: JsonObject | undefined, policy: string): readonly ReportLine[] {
  const report: ReportLine[] = [mapped('spec.ingressPolicy', 'External is public; the default is ClusterLocal', policy)];
  const note = (path: string, value: unknown, message: string): void => {
    if (value !== undefined) report.push(mapped(path, message, value));
  };
  note('spec.scale.min', valueAt(spec, 'scale', 'min'), 'autoscaling.knative.dev/min-scale');
  note('spec.scale.max', valueAt(spec, 'scale', 'max'), 'autoscaling.knative.dev/max-scale');
  note('spec.containerConcurrency', valueAt(spec, 'containerConcurrency'), 'containerConcurrency');
  for (const field of Object.keys(buildKinds)) {
    note(`spec.build.${field}`, textAt(spec, 'build', field), 'revisions follow the latest build');
  }
  listAt(spec, 'template', 'spec', 'containers').forEach((container, index) => {
    note(`spec.template.spec.containers[${index}].image`, textAt(container, 'image'), 'revision image');
  });
  return report;
}

/** An Adapter keeps the image of an existing object fresh. */
export function translateAdapter(document: JsonObject): Translation {
  const target = objectAt(document, 'spec', 'target');
  const service = textAt(target, 'serviceRef');
  const configuration = textAt(target, 'configurationRef');
  const report: ReportLine[] = [];
  if (service !== undefined)
    report.push(mapped('spec.target.serviceRef', `the image of Service ${service} is replaced, nothing else in it`, service));
  if (configuration !== undefined) {
    report.push(
      mapped(
        'spec.target.configurationRef',
        `the image of Configuration ${configuration} is replaced, nothing else in it`,
        configuration,
      ),
    );
  }
  return {
    verdict: 'translate',
    objects: [],
    report,
    effective: {
      kind: 'image-updater',
      target: service === undefined ? `Configuration/${configuration ?? ''}` : `Service/${service}`,
    },
  };
}
