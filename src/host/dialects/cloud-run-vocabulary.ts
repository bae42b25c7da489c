import { means, noEffect, notHere, type Vocabulary } from './vocabulary.ts';

const run = (name: string): string => `run.googleapis.com/${name}`;
const region = noEffect('region has no local meaning');
const bookkeeping = noEffect('tool bookkeeping');
const noVpc = notHere('there is no VPC here');

/** Annotations and labels of Cloud Run. Source: Cloud Run YAML reference and the Run v1 ObjectMeta reference. */
export const cloudRunVocabulary: Vocabulary = {
  annotations: {
    [run('ingress')]: means('who can reach the address: all, or internal callers only'),
    [run('minScale')]: means('least number of instances of the whole service'),
    [run('maxScale')]: means('most instances of the whole service'),
    [run('scalingMode')]: means('manual: a fixed number of instances, the autoscaler is bypassed'),
    [run('manualInstanceCount')]: means('the fixed number of instances'),
    [run('invoker-iam-disabled')]: notHere('there is no IAM here: requests are admitted unless the host is given an authorizer'),
    [run('iap-enabled')]: notHere('there is no identity-aware proxy here'),
    [run('custom-audiences')]: notHere('token audiences are not checked unless the host is given an authorizer'),
    [run('default-url-disabled')]: notHere('the default address stays reachable unless the host is configured otherwise'),
    [run('gc-traffic-tags')]: notHere('unused tags are not deleted'),
    [run('binary-authorization')]: notHere('image policy is not evaluated'),
    [run('binary-authorization-breakglass')]: notHere('image policy is not evaluated'),
    [run('description')]: noEffect('text'),
    [run('launch-stage')]: noEffect('release stage of the vendor API'),
    [run('function-target')]: noEffect('entry point of a built function; the image map names the program'),
    [run('build-*')]: noEffect('how the image was built'),
    [run('client-name')]: bookkeeping,
    [run('client-version')]: bookkeeping,
    [run('operation-id')]: noEffect('output-only'),
    [run('ingress-status')]: noEffect('output-only'),
    [run('urls')]: noEffect('output-only; the local address is printed instead'),
    'cloud.googleapis.com/': region,
    'client.knative.dev/': bookkeeping,
  },
  labels: {
    'cloud.googleapis.com/location': region,
    'serving.knative.dev/visibility': means('older spelling of networking.knative.dev/visibility, which is the current one'),
    'run.googleapis.com/': bookkeeping,
  },
  templateAnnotations: {
    [run('cpu-throttling')]: noEffect('local processes always have CPU'),
    [run('startup-cpu-boost')]: noEffect('there is no CPU boost here; cold starts are unaffected'),
    [run('sessionAffinity')]: means('requests of one cookie go to one instance while it lives'),
    [run('execution-environment')]: noEffect('sandbox generation has no local meaning'),
    [run('container-dependencies')]: means('order in which the containers of an instance start'),
    [run('secrets')]: means('aliases of secrets'),
    [run('cloudsql-instances')]: notHere('no /cloudsql socket is made: give the application a local address'),
    [run('vpc-access-connector')]: noVpc,
    [run('vpc-access-egress')]: noVpc,
    [run('network-interfaces')]: noVpc,
    [run('encryption-key')]: notHere('nothing is encrypted with the key'),
    [run('encryption-key-*')]: notHere('nothing is encrypted with the key'),
    [run('post-key-revocation-action-type')]: notHere('nothing is encrypted with the key'),
    [run('secure-session-agent')]: notHere('there is no session agent here'),
    [run('gpu-zonal-redundancy-disabled')]: notHere('there are no GPUs here'),
    [run('client-name')]: bookkeeping,
    [run('client-version')]: bookkeeping,
    'client.knative.dev/': bookkeeping,
  },
  templateLabels: {
    [run('startupProbeType')]: noEffect('output-only'),
    'client.knative.dev/': bookkeeping,
    'run.googleapis.com/': bookkeeping,
  },
};
