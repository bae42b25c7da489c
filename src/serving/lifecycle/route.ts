import { findCondition, livingConditionSet, type ConditionManager } from '../../api/conditions.ts';
import type { Condition } from '../../api/resource.ts';

/** Conditions of a Route. Messages as upstream's route_lifecycle.go has them. */
export const routeConditions = livingConditionSet('AllTrafficAssigned', 'IngressReady', 'CertificateProvisioned');

export const externalDomainTlsNotEnabled = 'external-domain-tls is not enabled';
export const tlsNotEnabledForClusterLocal = 'TLS is not enabled for cluster-local';

/** A certificate as far as messages speak of it. */
interface NamedCertificate {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export function markServiceNotOwned(conditions: ConditionManager, name: string): void {
  conditions.markFalse('IngressReady', 'NotOwned', `There is an existing placeholder Service "${name}" that we do not own.`);
}

export function markEndpointNotOwned(conditions: ConditionManager, name: string): void {
  conditions.markFalse('IngressReady', 'NotOwned', `There is an existing placeholder Endpoint "${name}" that we do not own.`);
}

export function markIngressRolloutInProgress(conditions: ConditionManager): void {
  conditions.markUnknown('IngressReady', 'RolloutInProgress', 'A gradual rollout of the latest revision(s) is in progress.');
}

export function markIngressNotConfigured(conditions: ConditionManager): void {
  conditions.markUnknown('IngressReady', 'IngressNotConfigured', 'Ingress has not yet been reconciled.');
}

export function markTrafficAssigned(conditions: ConditionManager): void {
  conditions.markTrue('AllTrafficAssigned');
}

export function markUnknownTrafficError(conditions: ConditionManager, message: string): void {
  conditions.markUnknown('AllTrafficAssigned', 'Unknown', message);
}

export function markTrafficError(conditions: ConditionManager, reason: string, message: string): void {
  conditions.markFalse('AllTrafficAssigned', reason, message);
}

export function markConfigurationNotReady(conditions: ConditionManager, name: string): void {
  const message = `Configuration "${name}" is waiting for a Revision to become ready.`;
  conditions.markUnknown('AllTrafficAssigned', 'RevisionMissing', message);
}

export function markConfigurationFailed(conditions: ConditionManager, name: string): void {
  conditions.markFalse('AllTrafficAssigned', 'RevisionMissing', `Configuration "${name}" does not have any ready Revision.`);
}

export function markRevisionNotReady(conditions: ConditionManager, name: string): void {
  conditions.markUnknown('AllTrafficAssigned', 'RevisionMissing', `Revision "${name}" is not yet ready.`);
}

export function markRevisionFailed(conditions: ConditionManager, name: string): void {
  conditions.markFalse('AllTrafficAssigned', 'RevisionMissing', `Revision "${name}" failed to become ready.`);
}

/** A Service's Route may only name revisions of that Service. `actual` is '' for a revision of no Service. */
export function markRevisionNotOwned(conditions: ConditionManager, name: string, expected: string, actual: string): void {
  const message =
    actual === ''
      ? `Revision "${name}" does not belong to Service "${expected}".`
      : `Revision "${name}" belongs to Service "${actual}", not Service "${expected}".`;
  conditions.markFalse('AllTrafficAssigned', 'RevisionNotOwned', message);
}

export function markMissingTrafficTarget(conditions: ConditionManager, kind: string, name: string): void {
  conditions.markFalse('AllTrafficAssigned', `${kind}Missing`, `${kind} "${name}" referenced in traffic not found.`);
}

export function markCertificateProvisionFailed(conditions: ConditionManager, certificate: NamedCertificate): void {
  const message = `Certificate ${certificate.metadata.name} fails to be provisioned: ${reasonOf(certificate)}`;
  conditions.markFalse('CertificateProvisioned', 'CertificateProvisionFailed', message);
}

export function markCertificateReady(conditions: ConditionManager): void {
  conditions.markTrue('CertificateProvisioned');
}

export function markCertificateNotReady(conditions: ConditionManager, certificate: NamedCertificate): void {
  const message = `Certificate ${certificate.metadata.name} is not ready: ${reasonOf(certificate)}`;
  conditions.markUnknown('CertificateProvisioned', 'CertificateNotReady', message);
}

export function markCertificateNotOwned(conditions: ConditionManager, name: string): void {
  conditions.markFalse(
    'CertificateProvisioned',
    'CertificateNotOwned',
    `There is an existing certificate ${name} that we don't own.`,
  );
}

export function markTlsNotEnabled(conditions: ConditionManager, message: string): void {
  conditions.markTrue('CertificateProvisioned', 'TLSNotEnabled', message);
}

export function markHttpDowngrade(conditions: ConditionManager, name: string): void {
  conditions.markTrue('CertificateProvisioned', 'HTTPDowngrade', `Certificate ${name} is not ready downgrade HTTP.`);
}

/** Takes over whether the Ingress is programmed. */
export function propagateIngressStatus(
  conditions: ConditionManager,
  status: { readonly conditions?: readonly Condition[] } | undefined,
): void {
  const ready = findCondition(status?.conditions, 'Ready');
  if (ready === undefined) markIngressNotConfigured(conditions);
  else if (ready.status === 'True') conditions.markTrue('IngressReady');
  else if (ready.status === 'False') conditions.markFalse('IngressReady', ready.reason, ready.message);
  else conditions.markUnknown('IngressReady', ready.reason, ready.message);
}

function reasonOf(certificate: NamedCertificate): string {
  return findCondition(certificate.status?.conditions, 'Ready')?.reason ?? '';
}
