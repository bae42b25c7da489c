import {
  also,
  genericError,
  invalidValue,
  missingField,
  noErrors,
  viaField,
  viaFieldIndex,
  type FieldErrors,
} from '../field-errors.ts';
import type { HTTPIngressPath, Ingress, IngressBackendSplit, IngressRule, IngressTLS } from './ingress.ts';

/** Rules are public unless they say otherwise; a single split without a percentage gets everything. */
export function defaultIngress(ingress: Ingress): Ingress {
  const rules = ingress.spec.rules.map((rule): IngressRule => {
    const visibility: string = rule.visibility ?? '';
    const defaulted: IngressRule = visibility === '' ? { ...rule, visibility: 'ExternalIP' } : { ...rule };
    // Upstream crashes on a rule without `http`; validation says what is missing.
    if (rule.http !== undefined) defaulted.http = { paths: rule.http.paths.map(defaultPath) };
    return defaulted;
  });
  return { ...ingress, spec: { ...ingress.spec, rules } };
}

function defaultPath(path: HTTPIngressPath): HTTPIngressPath {
  const [only] = path.splits;
  if (only === undefined || path.splits.length > 1 || (only.percent ?? 0) !== 0) return path;
  return { ...path, splits: [{ ...only, percent: 100 }] };
}

export function validateIngress(ingress: Ingress): FieldErrors {
  const { rules, tls = [], httpOption } = ingress.spec;
  const option: string = httpOption ?? '';
  if (rules.length === 0 && tls.length === 0 && option === '') return missingField('spec');
  const namespace = ingress.metadata.namespace ?? '';
  return viaField(
    also(
      rules.length === 0 ? missingField('rules') : noErrors,
      ...rules.map((rule, index) => viaFieldIndex(validateRule(rule, namespace), 'rules', index)),
      ...tls.map((entry, index) => viaFieldIndex(validateTLS(entry), 'tls', index)),
      option === '' || option === 'Enabled' || option === 'Redirected' ? noErrors : invalidValue(option, 'httpOption'),
    ),
    'spec',
  );
}

function validateRule(rule: IngressRule, namespace: string): FieldErrors {
  const { http, hosts } = rule;
  const visibility: string = rule.visibility ?? '';
  if (http === undefined) return missingField(hosts.length === 0 && visibility === '' ? '' : 'http');
  if (http.paths.length === 0) return missingField('http.paths');
  return viaField(also(...http.paths.map((path, index) => viaFieldIndex(validatePath(path, namespace), 'paths', index))), 'http');
}

function validatePath(path: HTTPIngressPath, namespace: string): FieldErrors {
  const { splits } = path;
  if (splits.length === 0) return missingField(isEmptyPath(path) ? '' : 'splits');
  let total = 0;
  for (const [index, split] of splits.entries()) {
    const errors = validateSplit(split, namespace);
    // The first wrong split is the only one that upstream reports.
    if (errors.length > 0) return viaFieldIndex(errors, 'splits', index);
    total += split.percent ?? 0;
  }
  if (total === 100 || (splits.length === 1 && total === 0)) return noErrors;
  return genericError(`traffic split percentage must total to 100, but was ${total}`, 'splits');
}

function isEmptyPath({ path = '', rewriteHost = '', headers = {}, appendHeaders = {} }: HTTPIngressPath): boolean {
  return path === '' && rewriteHost === '' && Object.keys(headers).length === 0 && Object.keys(appendHeaders).length === 0;
}

function validateSplit(split: IngressBackendSplit, namespace: string): FieldErrors {
  const { percent = 0, appendHeaders = {} } = split;
  const hasBackend = split.serviceName !== '' || split.serviceNamespace !== '' || !isNoPort(split.servicePort);
  if (!hasBackend) {
    const empty = percent === 0 && Object.keys(appendHeaders).length === 0;
    return also(!empty && (percent < 0 || percent > 100) ? invalidValue(percent, 'percent') : noErrors, missingField(''));
  }
  return also(
    percent < 0 || percent > 100 ? invalidValue(percent, 'percent') : noErrors,
    validateNamespace(split.serviceNamespace, namespace),
    split.serviceName === '' ? missingField('serviceName') : noErrors,
    isNoPort(split.servicePort) ? missingField('servicePort') : noErrors,
  );
}

/** An absent port; an empty text is a text in Go, so it counts as one. */
const isNoPort = (port: number | string): boolean => port === 0;

function validateNamespace(serviceNamespace: string, namespace: string): FieldErrors {
  if (serviceNamespace === '') return missingField('serviceNamespace');
  if (serviceNamespace === namespace) return noErrors;
  return genericError('service namespace must match ingress namespace', 'serviceNamespace');
}

function validateTLS(tls: IngressTLS): FieldErrors {
  const { secretName, secretNamespace, hosts } = tls;
  if (secretName === '' && secretNamespace === '' && hosts.length === 0) return missingField('');
  return also(
    secretName === '' ? missingField('secretName') : noErrors,
    secretNamespace === '' ? missingField('secretNamespace') : noErrors,
  );
}
