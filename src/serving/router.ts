import { systemRandom, type Random } from '../random.ts';
import { compileRules, type CompiledRule, type RoutableIngress, type RouteMatch } from './router-compile.ts';

/** What the router looks at. */
export interface RouteRequest {
  /** Host header or `:authority`, with or without port, in any case. */
  readonly host: string;
  /** Path, with or without query. */
  readonly path: string;
  /** Value of a header by lower-case name. */
  header(name: string): string | undefined;
  /** `public`: the request came from outside, so that cluster-local hosts do not exist for it. Default `local`: all hosts do. */
  readonly listener?: 'public' | 'local';
}

export interface RouterOptions {
  /** Draws among weighted splits. Default: the machine's generator. */
  readonly random?: Random;
}

/**
 * Ingresses compiled to one lookup by host. Changing it never affects a match that was already returned, and every match is
 * made against one complete state.
 */
export interface Router {
  /**
   * Where a request goes, `undefined` when no Ingress has the host (or the path). Longer paths go first, then those that ask
   * for more headers. The result is shared: do not change it.
   */
  match(request: RouteRequest): RouteMatch | undefined;
  /** Why a request goes where it goes, or why it goes nowhere: computed on demand, draws nothing. */
  explain(request: RouteRequest): RouteExplanation;
  /** Adds an Ingress, or replaces the one of that namespace and name. */
  set(ingress: RoutableIngress): void;
  /** Removes the Ingress `namespace/name`; false when it is not there. */
  delete(key: string): boolean;
  /** True when the router serves exactly this generation of the Ingress. */
  has(key: string, generation?: number): boolean;
  readonly ingressCount: number;
  readonly hostCount: number;
}

/** Why a request goes where it goes. */
export interface RouteExplanation {
  readonly outcome: 'routed' | 'unknown-host' | 'cluster-local-host' | 'no-path';
  /** One sentence. */
  readonly sentence: string;
  /** `namespace/name` of the Ingress that has the host. */
  readonly ingress?: string;
  /** Backends that the request may go to, with their shares. */
  readonly backends?: readonly RouteMatch[];
}

interface Entry {
  readonly generation: number | undefined;
  readonly rules: readonly CompiledRule[];
}

/** A host that several Ingresses claim: the one that came first answers, the others wait. */
type Waiting = Map<string, CompiledRule[]>;

/** A router of the given Ingresses. A host that several of them claim belongs to the one that was set first. */
export function createRouter(ingresses: Iterable<RoutableIngress> = [], options: RouterOptions = {}): Router {
  const random = options.random ?? systemRandom;
  const hosts = new Map<string, CompiledRule>();
  const waiting: Waiting = new Map();
  const entries = new Map<string, Entry>();

  function claim(host: string, rule: CompiledRule): void {
    const owner = hosts.get(host);
    if (owner === undefined) hosts.set(host, rule);
    else if (owner !== rule) {
      const queue = waiting.get(host);
      if (queue === undefined) waiting.set(host, [rule]);
      else queue.push(rule);
    }
  }

  function release(host: string, rule: CompiledRule): void {
    const queue = waiting.get(host);
    if (hosts.get(host) === rule) {
      const next = queue?.shift();
      if (next === undefined) hosts.delete(host);
      else hosts.set(host, next);
    } else if (queue !== undefined) {
      const at = queue.indexOf(rule);
      if (at >= 0) queue.splice(at, 1);
    }
    if (queue?.length === 0) waiting.delete(host);
  }

  function replace(key: string, rules: readonly CompiledRule[]): void {
    const previous = entries.get(key);
    if (previous === undefined) {
      for (const rule of rules) for (const host of rule.hosts) claim(host, rule);
      return;
    }
    // Hosts that stay change hands in place, so that they keep their turn and are never without an owner.
    const byHost = new Map(rules.flatMap((rule) => rule.hosts.map((host) => [host, rule] as const)).reverse());
    for (const old of previous.rules) {
      for (const host of old.hosts) {
        const rule = byHost.get(host);
        if (rule === undefined) release(host, old);
        else if (hosts.get(host) === old) hosts.set(host, rule);
        else {
          const queue = waiting.get(host);
          const at = queue?.indexOf(old) ?? -1;
          if (queue !== undefined && at >= 0) queue[at] = rule;
        }
      }
    }
    const had = new Set(previous.rules.flatMap((rule) => rule.hosts));
    for (const [host, rule] of byHost) if (!had.has(host)) claim(host, rule);
  }

  const router: Router = {
    match(request) {
      const { host } = request;
      const rule = hosts.get(host) ?? findRule(hosts, host);
      if (rule === undefined || (rule.local && request.listener === 'public')) return undefined;
      return rule.pick(request, random);
    },
    explain(request) {
      const name = normalizeHost(request.host);
      const rule = hosts.get(name) ?? findRule(hosts, name);
      if (rule === undefined) return { outcome: 'unknown-host', sentence: `No Ingress has the host ${name}.` };
      const { ingress } = rule;
      if (rule.local && request.listener === 'public') {
        const sentence = `${name} of ${ingress} is reachable inside of the cluster only.`;
        return { outcome: 'cluster-local-host', sentence, ingress };
      }
      const backends = rule.backendsFor(request);
      if (backends.length === 0) {
        const sentence = `${ingress} has ${name}, but no path of it takes ${request.path} with these headers.`;
        return { outcome: 'no-path', sentence, ingress };
      }
      const shares = backends.map(({ serviceName, percent }) => `${serviceName} (${percent} %)`).join(', ');
      return { outcome: 'routed', sentence: `${name} belongs to ${ingress}: ${shares}.`, ingress, backends };
    },
    set(ingress) {
      const { namespace = '', name, generation } = ingress.metadata;
      const key = namespace === '' ? name : `${namespace}/${name}`;
      const rules = compileRules(key, ingress);
      replace(key, rules);
      entries.set(key, { generation, rules });
    },
    delete(key) {
      if (!entries.has(key)) return false;
      replace(key, []);
      return entries.delete(key);
    },
    has(key, generation) {
      const entry = entries.get(key);
      return entry !== undefined && (generation === undefined || entry.generation === generation);
    },
    get ingressCount() {
      return entries.size;
    },
    get hostCount() {
      return hosts.size;
    },
  };
  for (const ingress of ingresses) router.set(ingress);
  return router;
}

/** The slower half of the lookup: hosts with a port, in upper case, with a final dot, or spelt out with the cluster's domain. */
function findRule(hosts: ReadonlyMap<string, CompiledRule>, host: string): CompiledRule | undefined {
  const name = normalizeHost(host);
  const exact = hosts.get(name);
  if (exact !== undefined) return exact;
  const end = name.length;
  for (const suffix of ['.svc', '.cluster.local', '.svc.cluster.local']) {
    if (!name.endsWith(suffix)) continue;
    const rule = hosts.get(name.slice(0, end - suffix.length));
    if (rule?.suffixes.has(suffix) === true) return rule;
  }
  return undefined;
}

/** Host without port and final dot, in lower case. IPv6 literals keep their brackets. */
export function normalizeHost(host: string): string {
  let name = host;
  const colon = name.lastIndexOf(':');
  if (colon >= 0 && name.indexOf(']', colon) < 0) name = name.slice(0, colon);
  if (name.endsWith('.')) name = name.slice(0, -1);
  return name.toLowerCase();
}
