import {
  also,
  disallowedFields,
  genericError,
  invalidValue,
  missingField,
  noErrors,
  viaField,
  type FieldErrors,
} from '../field-errors.ts';
import type { AdmissionContext } from '../kind.ts';
import type { Destination, KReference } from './destination.ts';
import { isFeatureEnabled } from './features.ts';
import { hostOf, parseGoUrl } from './go-url.ts';

/** What the references of an object may name. */
export interface ReferenceScope {
  readonly context: AdmissionContext;
  /** References must stay in this namespace; left out where upstream does not compare. */
  readonly namespace?: string | undefined;
}

/** Errors of a reference (`KReference.Validate`). */
export function validateReference(ref: KReference | undefined, scope: ReferenceScope): FieldErrors {
  if (ref === undefined) return missingField('name', 'apiVersion', 'kind');
  const { kind = '', name = '', apiVersion = '', group = '', namespace = '' } = ref;
  const errors: FieldErrors[] = [];
  if (name === '') errors.push(missingField('name'));
  if (isFeatureEnabled(scope.context, 'kreference-group')) {
    if (apiVersion === '' && group === '') errors.push(missingField('apiVersion'), missingField('group'));
    if (apiVersion !== '' && group !== '' && !apiVersion.startsWith(group)) {
      const message = 'both apiVersion and group are specified and they refer to different API groups';
      errors.push([{ message, paths: ['apiVersion', 'group'], details: 'Only one of them must be specified' }]);
    }
  } else {
    if (group !== '') errors.push(disallowedFields('group'));
    if (apiVersion === '') errors.push(missingField('apiVersion'));
  }
  if (kind === '') errors.push(missingField('kind'));
  if (namespace !== '' && scope.namespace !== undefined && scope.namespace !== '' && namespace !== scope.namespace) {
    const details = `parent namespace: ${JSON.stringify(scope.namespace)} does not match ref: ${JSON.stringify(namespace)}`;
    errors.push([{ message: 'mismatched namespaces', paths: ['namespace'], details }]);
  }
  return also(...errors);
}

/** The error of a namespace in a reference that may name another one only with the feature `cross-namespace-event-links`. */
export const crossNamespaceDisallowed: FieldErrors = [
  {
    message: 'must not set the field(s)',
    paths: ['namespace'],
    details: 'only name, apiVersion and kind are supported fields when feature.CrossNamespaceEventLinks is disabled',
  },
];

/**
 * Error of a reference into another namespace by nobody: upstream asks the API server whether the user may subscribe there. A store has
 * no such rights, so every user may.
 */
export function validateNamespaceLink(
  ref: KReference | undefined,
  namespace: string | undefined,
  context: AdmissionContext,
): FieldErrors {
  if (ref === undefined || !isFeatureEnabled(context, 'cross-namespace-event-links')) return noErrors;
  const isLink = (ref.namespace ?? '') !== '' && ref.namespace !== (namespace ?? '');
  if (!isLink || context.user !== undefined) return noErrors;
  const message = 'failed to get userInfo, which is needed to validate access to the target namespace';
  return genericError(message, `spec.${ref.kind ?? ''}Namespace`);
}

/** Errors of a destination (`Destination.Validate`); an absent one has none. */
export function validateDestination(destination: Destination | undefined, scope: ReferenceScope): FieldErrors {
  if (destination === undefined) return noErrors;
  const { ref, uri, CACerts } = destination;
  if (ref === undefined && uri === undefined) return genericError('expected at least one, got none', 'ref', 'uri');
  const url = uri === undefined ? undefined : parseGoUrl(uri);
  if (typeof url === 'string') return invalidValue(url, 'uri');
  if (ref !== undefined && url !== undefined && url.scheme !== '') {
    return genericError(
      'Absolute URI is not allowed when Ref or [apiVersion, kind, name] is present',
      '[apiVersion, kind, name]',
      'ref',
      'uri',
    );
  }
  if (ref === undefined && url !== undefined && (url.scheme === '' || hostOf(url) === '')) {
    return invalidValue('Relative URI is not allowed when Ref and [apiVersion, kind, name] is absent', 'uri');
  }
  if (ref !== undefined && url === undefined) return viaField(validateReference(ref, scope), 'ref');
  return CACerts === undefined ? noErrors : validateCaCerts(CACerts);
}

const pemBlock = /-----BEGIN ([^-\n]*)-----\r?\n([A-Za-z0-9+/=\s:,-]*?)\r?\n?-----END \1-----/;

// What is signed and by whom is looked at when a connection is made with it.
function validateCaCerts(text: string): FieldErrors {
  const block = pemBlock.exec(text);
  if (block === null) return invalidValue('CA Cert provided is invalid', 'caCert');
  if (block[1] !== 'CERTIFICATE') return invalidValue('CA Cert provided is not a certificate', 'caCert');
  return isCertificate((block[2] ?? '').replace(/\s/g, '')) ? noErrors : invalidValue('CA Cert provided is invalid', 'caCert');
}

// A certificate is a DER sequence that fills the block, and its first element is a sequence too.
function isCertificate(base64: string): boolean {
  let bytes: string;
  try {
    bytes = atob(base64);
  } catch {
    return false;
  }
  const outer = readSequence(bytes, 0);
  if (outer === undefined || outer.end !== bytes.length) return false;
  const inner = readSequence(bytes, outer.start);
  return inner !== undefined && inner.end < bytes.length;
}

function readSequence(bytes: string, at: number): { readonly start: number; readonly end: number } | undefined {
  if (bytes.charCodeAt(at) !== 0x30) return undefined;
  const first = bytes.charCodeAt(at + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (Number.isNaN(first) || first === 0x80 || lengthBytes > 4) return undefined;
  let length = first < 0x80 ? first : 0;
  for (let index = 0; index < lengthBytes; index++) length = length * 256 + bytes.charCodeAt(at + 2 + index);
  const start = at + 2 + lengthBytes;
  return start + length <= bytes.length ? { start, end: start + length } : undefined;
}

/** A reference with the parent's namespace where it names none. */
export function defaultReference<R extends KReference>(ref: R, namespace: string | undefined): R {
  return (ref.namespace ?? '') !== '' || namespace === undefined || namespace === '' ? ref : { ...ref, namespace };
}

/** A destination whose reference has the parent's namespace where it names none. */
export function defaultDestination<D extends Destination | undefined>(destination: D, namespace: string | undefined): D {
  if (destination?.ref === undefined) return destination;
  const ref = defaultReference(destination.ref, namespace);
  return ref === destination.ref ? destination : { ...destination, ref };
}
