import { namespaces } from '../../api/core/namespace.ts';
import { secrets } from '../../api/core/secret.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { certificates, type Certificate } from '../../api/networking/certificate.ts';
import type { Reader } from '../../api/reconciler.ts';
import type { Revision } from '../../api/serving/revision.ts';
import { annotationKeys, annotationSpellings, annotationValue, labelKeys } from '../keys.ts';
import { failPass, type Pass } from '../pass.ts';
import { servingCertificateName } from '../resources/pod-spec.ts';
import { certificateNotOwned, syncCertificate } from './child-certificate.ts';

/** With `system-internal-tls`, a namespace's queue-proxies share one certificate; nothing is deployed before it is there. */
export function syncQueueProxyCertificate(pass: Pass, revision: Revision, defaultClass: string, world: Reader): void {
  const { namespace = '', annotations } = revision.metadata;
  const name = servingCertificateName;
  const owner = world.get(namespaces, undefined, namespace);
  if (owner === undefined) failPass(`namespaces "${namespace}" not found`);
  const desired: Certificate = {
    apiVersion: apiVersionOf(certificates),
    kind: certificates.kind,
    metadata: {
      name,
      namespace,
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Namespace',
          name: namespace,
          uid: owner.metadata.uid ?? '',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      annotations: {
        [annotationKeys.certificateClass]: annotationValue(annotations, annotationSpellings.certificateClass) ?? defaultClass,
      },
      labels: { [labelKeys.certificateType]: 'system-internal' },
    },
    spec: {
      dnsNames: [`kn-user-${namespace}`, 'data-plane.knative.dev'],
      secretName: name,
    },
  };
  if (syncCertificate(pass, world, owner, desired) === undefined) {
    const cause = certificateNotOwned({ version: 'v1', kind: 'Namespace' }, owner, name);
    failPass(`failed to reconcile Knative certificate ${namespace}/${name}: ${cause}`);
  }
  const secret = world.get(secrets, namespace, name);
  if (secret === undefined) failPass(`secret ${namespace}/${name} is not ready yet: secret could not be found`);
  const missing =
    secret.data?.['tls.crt'] === undefined ? 'public cert' : secret.data['tls.key'] === undefined ? 'private key' : '';
  if (missing !== '') failPass(`certificate in secret ${namespace}/${name} is not ready yet: ${missing} not found`);
}
