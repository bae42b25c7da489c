import { livingConditionSet, type ConditionManager } from '../../api/conditions.ts';

/**
 * Conditions of a DomainMapping; `IngressReady` and the TLS marks that it shares with a Route are in route.ts. Messages as
 * upstream's domainmapping_lifecycle.go has them.
 */
export const domainMappingConditions = livingConditionSet(
  'DomainClaimed',
  'ReferenceResolved',
  'IngressReady',
  'CertificateProvisioned',
);

export const tlsProvidedExternally = 'TLS certificate was provided externally';

export function markCertificateNotRequired(conditions: ConditionManager, message: string): void {
  conditions.markTrue('CertificateProvisioned', 'CertificateExternallyProvided', message);
}

export function markCertificateNotReady(conditions: ConditionManager, name: string): void {
  conditions.markUnknown('CertificateProvisioned', 'CertificateNotReady', `Certificate ${name} is not ready.`);
}

export function markCertificateProvisionFailed(conditions: ConditionManager, name: string): void {
  conditions.markFalse('CertificateProvisioned', 'CertificateProvisionFailed', `Certificate ${name} failed to be provisioned.`);
}

export function markDomainClaimed(conditions: ConditionManager): void {
  conditions.markTrue('DomainClaimed');
}

/** Also said when nobody claimed the domain but claims are not created automatically. */
export function markDomainClaimNotOwned(conditions: ConditionManager): void {
  conditions.markFalse('DomainClaimed', 'DomainAlreadyClaimed', 'The domain name is already in use by another DomainMapping');
}

export function markDomainClaimFailed(conditions: ConditionManager, message: string): void {
  conditions.markFalse('DomainClaimed', 'DomainClaimFailed', message);
}

export function markReferenceResolved(conditions: ConditionManager): void {
  conditions.markTrue('ReferenceResolved');
}

export function markReferenceNotResolved(conditions: ConditionManager, message: string): void {
  conditions.markFalse('ReferenceResolved', 'ResolveFailed', message);
}
