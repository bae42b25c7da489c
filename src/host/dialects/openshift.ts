import { unsupported, type Dialect, type ReportLine, type Translation } from './dialect.ts';
import { isKnativeService } from './cloud-run.ts';
import { groupOf, objectAt, textAt, textEntries, type JsonObject } from './json-path.ts';
import { translateOperator } from './openshift-operator.ts';
import { openshiftVocabulary } from './openshift-vocabulary.ts';
import { reportService } from './service-report.ts';

const own = 'serving.knative.openshift.io/';

/** OpenShift Serverless: route annotations, operator resources as settings, Serverless Logic reported. */
export const openshift: Dialect = {
  name: 'openshift',
  recognizes: (document) =>
    groupOf(document) === 'operator.knative.dev' ||
    groupOf(document) === 'sonataflow.org' ||
    textEntries(objectAt(document, 'metadata', 'annotations')).some(
      ([key]) => key.startsWith(own) || key.startsWith('haproxy.router.openshift.io/'),
    ) ||
    textEntries(objectAt(document, 'metadata', 'labels')).some(([key]) => key.startsWith('app.openshift.io/')),
  translate(document) {
    if (groupOf(document) === 'operator.knative.dev') return translateOperator(document);
    if (groupOf(document) === 'sonataflow.org') return workflow(document);
    if (!isKnativeService(document)) return undefined;
    const route = makeRoute(document);
    return {
      verdict: 'accept',
      objects: [document],
      report: [...reportService(document, [openshiftVocabulary]), ...route.report],
      effective: route.effective,
    };
  },
};

function workflow(document: JsonObject): Translation {
  const kind = textAt(document, 'kind') ?? '';
  return {
    verdict: 'report',
    objects: [],
    report: [unsupported('kind', `${kind}: workflow definitions are not run; the rest of the file applies`)],
    effective: null,
  };
}

interface RoutePreview {
  readonly effective: JsonObject;
  readonly report: readonly ReportLine[];
}

/** The Route that OpenShift would make of a Service. */
function makeRoute(document: JsonObject): RoutePreview {
  const metadata = objectAt(document, 'metadata');
  const annotations = objectAt(metadata, 'annotations') ?? {};
  const isLocal = textAt(metadata, 'labels', 'networking.knative.dev/visibility') === 'cluster-local';
  if (`${own}disableRoute` in annotations || isLocal) return { effective: { route: null, ready: true }, report: [] };
  const passthrough = `${own}enablePassthrough` in annotations;
  const text = textAt(annotations, `${own}setRouteTimeout`);
  const isWhole = text === undefined || /^\d+$/.test(text);
  if (!isWhole) {
    return {
      effective: { route: null },
      report: [
        unsupported(`metadata.annotations['${own}setRouteTimeout']`, `invalid timeout value: ${text}; no route is made`, text),
      ],
    };
  }
  const seconds = text === undefined ? 600 : Number(text);
  const copied = textEntries(annotations).filter(
    ([key]) => key.startsWith('haproxy.router.openshift.io/') || key.startsWith(own),
  );
  const name = textAt(metadata, 'name') ?? '';
  const namespace = textAt(metadata, 'namespace') ?? 'default';
  return {
    effective: {
      ...(text === undefined ? {} : { edgeTimeoutSeconds: seconds }),
      route: {
        host: `${name}-${namespace}.<domain>`,
        tls: passthrough
          ? { termination: 'passthrough', insecureEdgeTerminationPolicy: 'Redirect' }
          : { termination: 'edge', insecureEdgeTerminationPolicy: 'Allow' },
        annotations: { 'haproxy.router.openshift.io/timeout': `${seconds}s`, ...Object.fromEntries(copied) },
      },
    },
    report: [],
  };
}
