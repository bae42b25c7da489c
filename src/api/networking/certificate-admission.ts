import { also, invalidArrayValue, invalidValue, missingField, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { Certificate } from './certificate.ts';

export function validateCertificate(certificate: Certificate): FieldErrors {
  const { dnsNames, secretName, domain = '' } = certificate.spec;
  const covers = dnsNames.some((name) => name === domain || name.endsWith(`.${domain}`));
  return viaField(
    also(
      dnsNames.length === 0 ? missingField('dnsNames') : noErrors,
      ...dnsNames.map((name, index) => (name === '' ? invalidArrayValue(name, 'dnsNames', index) : noErrors)),
      secretName === '' ? missingField('secretName') : noErrors,
      domain !== '' && dnsNames.length > 0 && !covers
        ? invalidValue('domain', 'domain must be a suffix of, or match exactly, at least one entry in dnsNames')
        : noErrors,
    ),
    'spec',
  );
}
