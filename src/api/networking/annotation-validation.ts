import { also, invalidKeyName, noErrors, type FieldErrors } from '../field-errors.ts';

const group = 'networking.knative.dev';

const known = new Set(
  [
    'ingress.class',
    'ingress-class',
    'certificate.class',
    'certificate-class',
    'disableAutoTLS',
    'disable-auto-tls',
    'disable-external-domain-tls',
    'httpOption',
    'http-protocol',
  ].map((name) => `${group}/${name}`),
);

/** Refuses annotations of the networking group that do not exist; paths relative to the annotations. */
export function validateNetworkingAnnotations(annotations: Readonly<Record<string, string>> | undefined): FieldErrors {
  let errors = noErrors;
  for (const key in annotations) {
    if (key.startsWith(group) && !known.has(key)) errors = also(errors, invalidKeyName(key, ''));
  }
  return errors;
}
