import { means, noEffect, type Vocabulary } from './vocabulary.ts';

/** Annotations and labels of OpenShift Serverless. Source: openshift-knative/serverless-operator. */
export const openshiftVocabulary: Vocabulary = {
  annotations: {
    'serving.knative.openshift.io/setRouteTimeout': means('edge timeout in seconds; must be a whole number'),
    'serving.knative.openshift.io/disableRoute': means(
      'the key alone disables the route, whatever its value says: "false" does not bring it back',
    ),
    'serving.knative.openshift.io/enablePassthrough': means('TLS passes through to the application; the key alone counts'),
    'haproxy.router.openshift.io/': noEffect('router tuning; copied to the generated route, no local effect'),
    'argocd.argoproj.io/': noEffect('GitOps bookkeeping; never copied to the route'),
    'app.openshift.io/': noEffect('console display'),
    'image.openshift.io/': noEffect('image triggers are not run'),
  },
  labels: {
    'app.openshift.io/': noEffect('console display'),
    'argocd.argoproj.io/': noEffect('GitOps bookkeeping'),
  },
  templateAnnotations: {
    'sidecar.istio.io/': noEffect('no mesh sidecar locally'),
    'app.openshift.io/': noEffect('console display'),
  },
  templateLabels: { 'app.openshift.io/': noEffect('console display') },
};
