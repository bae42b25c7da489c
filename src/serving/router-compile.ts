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

/** One rule of an Ingress, ready to be matched. Flat, because a look-up among many thousand costs what it has to load. */
export class CompiledRule {
  /** Reachable inside of the cluster only. */
  readonly local: boolean;
  /** Backends of the one path that takes everything; empty when there are more paths. */
  readonly #backends: readonly RouteMatch[];
  /** Where each backend's share ends; empty for a single one. */
  readonly #ends: readonly number[];
  readonly #pickByPath: PickBackend | undefined;
  /** Lower-case hosts under which the rule is stored; those that differ by a cluster suffix only are left out. */
  readonly hosts: readonly string[];
  /** Suffixes under which the stored hosts are known too. */
  readonly suffixes: ReadonlySet<string>;

  /** `namespace/name` of the Ingress. */
  readonly ingress: string;
  readonly #paths: readonly CompiledPath[];

  constructor(
    ingress: string,
    hosts: { readonly hosts: readonly string[]; readonly suffixes: ReadonlySet<string> },
    local: boolean,
    paths: readonly CompiledPath[],
  ) {
    const [first] = paths;
    const isPlain = first !== undefined && paths.length === 1 && first.prefix === '' && first.headers.length === 0;
    this.local = local;
    this.#backends = isPlain ? first.backends : [];
    this.#ends = isPlain ? first.ends : [];
    this.#pickByPath = isPlain || first === undefined ? undefined : compilePick(paths);
    this.hosts = hosts.hosts;
    this.suffixes = hosts.suffixes;
    this.ingress = ingress;
    this.#paths = inOrder(paths);
  }

  /** Backends of the path that takes the request. */
  backendsFor(request: RouteRequest): readonly RouteMatch[] {
    return this.#paths.find((path) => takes(path, request))?.backends ?? [];
  }

  /** The backend for a request that has one of the hosts. */
  pick(request: RouteRequest, random: Random): RouteMatch | undefined {
    if (this.#pickByPath !== undefined) return this.#pickByPath(request, random);
    return this.#ends.length === 0 ? this.#backends[0] : draw(this.#backends, this.#ends, random);
  }
}

type PickBackend = (request: RouteRequest, random: Random) => RouteMatch | undefined;

interface CompiledPath {
  readonly prefix: string;
  readonly headers: readonly (readonly [name: string, exact: string])[];
  readonly backends: readonly RouteMatch[];
  readonly ends: readonly number[];
}

function pickOf({ backends, ends }: CompiledPath, random: Random): RouteMatch | undefined {
  return ends.length === 0 ? backends[0] : draw(backends, ends, random);
}

/** A backend by its share. */
function draw(backends: readonly RouteMatch[], ends: readonly number[], random: Random): RouteMatch | undefined {
  const last = ends.length - 1;
  const point = random() * (ends[last] ?? 0);
  let index = 0;
  while (index < last && point >= (ends[index] ?? 0)) index++;
  return backends[index];
}

const clusterSuffixes = ['.svc', '.svc.cluster.local', '.cluster.local'];
const noSuffixes: ReadonlySet<string> = new Set();

/** The rules of an Ingress. Rules without `http` (upstream crashes on them) or without hosts match nothing. */
export function compileRules(key: string, ingress: RoutableIngress): CompiledRule[] {
  const rules: CompiledRule[] = [];
  // A host that two rules name belongs to the first of them.
  const seen = new Set<string>();
  const httpOption = ingress.spec?.httpOption === 'Redirected' ? 'Redirected' : 'Enabled';
  for (const { hosts = [], visibility, http } of ingress.spec?.rules ?? []) {
    const local = visibility === 'ClusterLocal';
    const paths = (http?.paths ?? []).map((path) => compilePath(key, path, local ? 'ClusterLocal' : 'ExternalIP', httpOption));
    rules.push(new CompiledRule(key, compileHosts(hosts.filter((host) => !seen.has(host.toLowerCase()))), local, paths));
    for (const host of hosts) seen.add(host.toLowerCase());
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
  const backends = matches.filter((match) => match.percent > 0);
  return { prefix: path.path ?? '', headers, backends, ends: endsOf(backends) };
}

function endsOf(backends: readonly RouteMatch[]): readonly number[] {
  if (backends.length < 2) return [];
  let total = 0;
  return backends.map(({ percent }) => (total += percent));
}

function compilePick(paths: readonly CompiledPath[]): PickBackend {
  const sorted = inOrder(paths);
  return pickByOneHeader(sorted) ?? pickInOrder(sorted);
}

/** Longer paths first, then those that ask for more headers. */
function inOrder(paths: readonly CompiledPath[]): readonly CompiledPath[] {
  if (paths.length < 2) return paths;
  return paths.slice().sort((a, b) => b.prefix.length - a.prefix.length || b.headers.length - a.headers.length);
}

function takes({ prefix, headers }: CompiledPath, request: RouteRequest): boolean {
  return request.path.startsWith(prefix) && headers.every(([name, exact]) => request.header(name) === exact);
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
    const path = (value === undefined ? undefined : byValue.get(value)) ?? fallback;
    return path && pickOf(path, random);
  };
}

function pickInOrder(paths: readonly CompiledPath[]): PickBackend {
  return (request, random) => {
    for (const path of paths) if (takes(path, request)) return pickOf(path, random);
    return undefined;
  };
}
