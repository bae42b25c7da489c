import type { HTTPIngressPath, Ingress, IngressRule, IngressSpec, IngressTLS } from '../../api/networking/ingress.ts';
import { sha256Hex } from '../hash/sha256.ts';
import type { Visibility } from '../domain-name.ts';

/** Requests with this header and value get the hash of the configuration that serves them. */
export const hashHeader = 'K-Network-Hash';
export const hashOverride = 'override';

/**
 * The hash that tells one state of an Ingress from another: SHA-256 of the spec as Go prints it, and the object's name. Adapters
 * put it into what they make, and probes ask for it.
 */
export function ingressHash(ingress: Ingress): string {
  const text = goJson(orderedSpec(ingress.spec));
  return sha256Hex(`${text}${ingress.metadata.namespace ?? ''}${ingress.metadata.name}`);
}

/** The Ingress with a path for probes before each of its paths. Rules without `http`, on which upstream crashes, are left out. */
export function withProbes(ingress: Ingress, hash: string): Ingress {
  const rules = ingress.spec.rules.flatMap((rule): IngressRule[] => {
    if (rule.http === undefined) return [];
    const probes = rule.http.paths.map((path): HTTPIngressPath => ({
      ...path,
      appendHeaders: { ...path.appendHeaders, [hashHeader]: hash },
      headers: { ...path.headers, [hashHeader]: { exact: hashOverride } },
    }));
    return [{ ...rule, http: { paths: [...probes, ...rule.http.paths] } }];
  });
  return { ...ingress, spec: { ...ingress.spec, rules } };
}

/** The TLS entries that cover all hosts of a rule of this visibility. */
export function tlsForVisibility(ingress: Ingress, visibility: Visibility): readonly IngressTLS[] {
  const found: IngressTLS[] = [];
  for (const rule of ingress.spec.rules) {
    if (rule.visibility !== visibility) continue;
    if (rule.hosts.length === 0) return found;
    found.push(...(ingress.spec.tls ?? []).filter((tls) => rule.hosts.every((host) => tls.hosts.includes(host))));
  }
  return found;
}

type Json = Record<string, unknown>;

/** The spec with its fields in the order of Go's structs. */
function orderedSpec({ tls, rules, httpOption }: IngressSpec): Json {
  return {
    ...(tls !== undefined &&
      tls.length > 0 && {
        tls: tls.map(({ hosts, secretName, secretNamespace }) => ({
          ...nonEmpty('hosts', hosts),
          ...nonEmpty('secretName', secretName),
          ...nonEmpty('secretNamespace', secretNamespace),
        })),
      }),
    ...(rules.length > 0 && {
      rules: rules.map(({ hosts, visibility, http }) => ({
        ...nonEmpty('hosts', hosts),
        ...nonEmpty('visibility', visibility),
        ...(http !== undefined && { http: { paths: http.paths.map(orderedPath) } }),
      })),
    }),
    ...nonEmpty('httpOption', httpOption),
  };
}

function orderedPath({ path, rewriteHost, headers, splits, appendHeaders }: HTTPIngressPath): Json {
  const sortedHeaders = sortKeys(headers);
  return {
    ...nonEmpty('path', path),
    ...nonEmpty('rewriteHost', rewriteHost),
    ...(sortedHeaders !== undefined && {
      headers: Object.fromEntries(Object.entries(sortedHeaders).map(([name, { exact }]) => [name, { exact }])),
    }),
    splits: splits.map((split) => ({
      serviceNamespace: split.serviceNamespace,
      serviceName: split.serviceName,
      servicePort: split.servicePort,
      ...(split.percent !== undefined && split.percent !== 0 && { percent: split.percent }),
      ...nonEmpty('appendHeaders', sortKeys(split.appendHeaders)),
    })),
    ...nonEmpty('appendHeaders', sortKeys(appendHeaders)),
  };
}

function nonEmpty(name: string, value: string | readonly string[] | object | undefined): Json {
  const isEmpty = value === undefined || (typeof value === 'object' ? Object.keys(value).length === 0 : value === '');
  return isEmpty ? {} : { [name]: value };
}

function sortKeys<T>(map: Readonly<Record<string, T>> | undefined): Record<string, T> | undefined {
  if (map === undefined || Object.keys(map).length === 0) return undefined;
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** JSON with the characters escaped that Go escapes. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
