import type { Random } from '../random.ts';
import type { RouteRequest } from './router.ts';

/** The parts of an Ingress that routing needs; every `networking.internal.knative.dev` Ingress fits. */
export interface RoutableIngress {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly generation?: number };
  readonly spec?: {
    readonly rules?: readonly RoutableRule[];
    readonly httpOption?: string;
  };
}

interface RoutableRule {
  readonly hosts?: readonly string[];
  readonly visibility?: string;
  readonly http?: { readonly paths?: readonly RoutablePath[] };
}

interface RoutablePath {
  readonly path?: string;
  readonly rewriteHost?: string;
  readonly headers?: Readonly<Record<string, { readonly exact?: string }>>;
  readonly appendHeaders?: Readonly<Record<string, string>>;
  readonly splits?: readonly RoutableSplit[];
}

interface RoutableSplit {
  readonly serviceNamespace?: string;
  readonly serviceName?: string;
  readonly servicePort?: number | string;
  readonly percent?: number;
  readonly appendHeaders?: Readonly<Record<string, string>>;
}

/** Where a request goes and what is done to it on the way. */
export interface RouteMatch {
  /** `namespace/name` of the Ingress. */
  readonly ingress: string;
  readonly namespace: string;
  /** The revision's public Service, or another one (ACME challenges, domain mappings). */
  readonly serviceName: string;
  readonly servicePort: number | string;
  /** The revision, when the backend is one. */
  readonly revision: string | undefined;
  /** The tag that the host or the tag header selected. */
  readonly tag: string | undefined;
  /** The backend's share of its path, 0 to 100. */
  readonly percent: number;
  readonly visibility: 'ExternalIP' | 'ClusterLocal';
  /** `Redirected`: plain HTTP should be answered with a redirect to HTTPS. */
  readonly httpOption: 'Enabled' | 'Redirected';
  /** Host to send instead of the one received. */
  readonly rewriteHost: string | undefined;
  /** Headers to set, names and values in turn. */
  readonly appendHeaders: readonly string[];
}

/** One rule of an Ingress, ready to be matched. */
export interface CompiledRule {
  /** Lower-case hosts under which the rule is stored; those that differ by a cluster suffix only are left out. */
  readonly hosts: readonly string[];
  /** Suffixes under which the stored hosts are known too. */
  readonly suffixes: ReadonlySet<string>;
  /** Reachable inside of the cluster only. */
  readonly local: boolean;
  pick(request: RouteRequest, random: Random): RouteMatch | undefined;
}

type PickBackend = CompiledRule['pick'];

interface CompiledPath {
  readonly prefix: string;
  readonly headers: readonly (readonly [name: string, exact: string])[];
  readonly pick: (random: Random) => RouteMatch | undefined;
}

const clusterSuffixes = ['.svc', '.svc.cluster.local', '.cluster.local'];
const noSuffixes: ReadonlySet<string> = new Set();

/** The rules of an Ingress. Rules without `http` (upstream crashes on them) or without hosts match nothing. */
export function compileRules(key: string, ingress: RoutableIngress): CompiledRule[] {
  const rules: CompiledRule[] = [];
  const httpOption = ingress.spec?.httpOption === 'Redirected' ? 'Redirected' : 'Enabled';
  for (const { hosts = [], visibility, http } of ingress.spec?.rules ?? []) {
    const local = visibility === 'ClusterLocal';
    const paths = (http?.paths ?? []).map((path) => compilePath(key, path, local ? 'ClusterLocal' : 'ExternalIP', httpOption));
    rules.push({ ...compileHosts(hosts), local, pick: compilePick(paths) });
  }
  return rules;
}

function compileHosts(hosts: readonly string[]): { readonly hosts: string[]; readonly suffixes: ReadonlySet<string> } {
  const names = new Set(hosts.map((host) => host.toLowerCase()));
  if (names.size < 2) return { hosts: [...names], suffixes: noSuffixes };
  // Only when every base host has the same spelt-out forms can the suffix stand for them.
  const bases = [...names].filter(
    (name) => !clusterSuffixes.some((s) => name.endsWith(s) && names.has(name.slice(0, -s.length))),
  );
  const suffixes = clusterSuffixes.filter((suffix) => bases.every((base) => names.has(base + suffix)));
  const covered = new Set(bases.flatMap((base) => suffixes.map((suffix) => base + suffix)));
  return { hosts: [...names].filter((name) => !covered.has(name)), suffixes: new Set(suffixes) };
}

function compilePath(
  ingress: string,
  path: RoutablePath,
  visibility: RouteMatch['visibility'],
  httpOption: RouteMatch['httpOption'],
): CompiledPath {
  const headers = Object.entries(path.headers ?? {}).map(([name, match]) => [name.toLowerCase(), match.exact ?? ''] as const);
  const splits = path.splits ?? [];
  const matches = splits.map((split): RouteMatch => {
    const append = { ...path.appendHeaders, ...split.appendHeaders };
    return Object.freeze({
      ingress,
      namespace: split.serviceNamespace ?? '',
      serviceName: split.serviceName ?? '',
      servicePort: split.servicePort ?? 80,
      revision: append['Knative-Serving-Revision'],
      tag: append['Knative-Serving-Tag'] ?? headers.find(([name]) => name === 'knative-serving-tag')?.[1],
      // A single backend without a share gets everything.
      percent: split.percent ?? (splits.length === 1 ? 100 : 0),
      visibility,
      httpOption,
      rewriteHost: path.rewriteHost === '' ? undefined : path.rewriteHost,
      appendHeaders: Object.freeze(Object.entries(append).flat()),
    });
  });
  return { prefix: path.path ?? '', headers, pick: compileSplits(matches) };
}

function compileSplits(matches: readonly RouteMatch[]): CompiledPath['pick'] {
  const taking = matches.filter((match) => match.percent > 0);
  const [only] = taking;
  if (taking.length < 2) return () => only;
  const ends: number[] = [];
  let total = 0;
  for (const { percent } of taking) ends.push((total += percent));
  return (random) => {
    const point = random() * total;
    let index = 0;
    while (index < ends.length - 1 && point >= (ends[index] ?? 0)) index++;
    return taking[index];
  };
}

function compilePick(paths: CompiledPath[]): PickBackend {
  const [first] = paths;
  if (first === undefined) return () => undefined;
  if (paths.length === 1 && first.prefix === '' && first.headers.length === 0) return (_request, random) => first.pick(random);
  const sorted = paths.slice().sort((a, b) => b.prefix.length - a.prefix.length || b.headers.length - a.headers.length);
  return pickByOneHeader(sorted) ?? pickInOrder(sorted);
}

/** Tag header routing: any number of values of one header, then the path without: one look-up instead of a walk. */
function pickByOneHeader(paths: readonly CompiledPath[]): PickBackend | undefined {
  const name = paths[0]?.headers[0]?.[0];
  const rest = paths.findIndex((path) => path.headers.length === 0);
  if (name === undefined || (rest >= 0 && rest !== paths.length - 1) || paths.some((path) => path.prefix !== ''))
    return undefined;
  const byValue = new Map<string, CompiledPath>();
  for (const path of rest < 0 ? paths : paths.slice(0, rest)) {
    const [header] = path.headers;
    if (path.headers.length !== 1 || header?.[0] !== name) return undefined;
    if (!byValue.has(header[1])) byValue.set(header[1], path);
  }
  const fallback = rest < 0 ? undefined : paths[rest];
  return (request, random) => {
    const value = request.header(name);
    return ((value === undefined ? undefined : byValue.get(value)) ?? fallback)?.pick(random);
  };
}

function pickInOrder(paths: readonly CompiledPath[]): PickBackend {
  return (request, random) => {
    for (const path of paths) {
      if (!request.path.startsWith(path.prefix)) continue;
      if (path.headers.every(([name, exact]) => request.header(name) === exact)) return path.pick(random);
    }
    return undefined;
  };
}
