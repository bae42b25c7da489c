// Replays of the Ingress adapters: the complete state that they leave behind after each pass.
import type { Kind } from '../../src/api/kind.ts';
import { ingresses, type Ingress } from '../../src/api/networking/ingress.ts';
import type { Plan, Reconciler } from '../../src/api/reconciler.ts';
import type { Resource } from '../../src/api/resource.ts';
import { parseGatewayApiConfig } from '../../src/serving/adapters/gateway-api-config.ts';
import { gateways, httpRoutes, referenceGrants } from '../../src/serving/adapters/gateway-api-kinds.ts';
import { gatewayApiReconciler, type ProbeState, type ProbeTarget } from '../../src/serving/adapters/gateway-api.ts';
import { parseIstioConfig } from '../../src/serving/adapters/istio-config.ts';
import { istioGateways, virtualServices } from '../../src/serving/adapters/istio-kinds.ts';
import { createIstioReconciler } from '../../src/serving/adapters/istio.ts';
import { differencesOf, type ReplayCase } from './replay.ts';
import { normalize, StoryStore, type Configs } from './serving.store.ts';

type Json = Record<string, unknown>;

interface AdapterCase {
  readonly id: string;
  readonly configs?: Configs;
  readonly objects?: readonly Resource[];
  readonly secrets?: readonly { readonly name: string; readonly namespace: string; readonly hosts: readonly string[] }[];
  readonly steps: readonly {
    readonly do: string;
    readonly object?: Resource;
    readonly ready?: boolean;
    readonly result?: Json;
  }[];
}

/** What one adapter's replay needs besides the common steps. */
interface Adapter {
  readonly file: string;
  readonly reconciler: Reconciler<Ingress>;
  readonly kinds: readonly Kind[];
  /** Answer of the prober before a `probe` step. */
  readonly ready: boolean;
  /** What the adapter's config map is refused for. */
  readonly configError: (configs: Configs) => string | undefined;
  /** Objects that secrets of the case stand for. */
  readonly secret?: (secret: NonNullable<AdapterCase['secrets']>[number]) => Resource;
  /** Lists of the result by name. */
  readonly lists: Readonly<Record<string, Kind>>;
  /** The recordings leave events out. */
  readonly withoutEvents?: boolean;
  /** Upstream trouble that ours does not have. */
  readonly skipPass?: (result: Json) => boolean;
}

const anyKinds = (...kinds: { readonly kind: string }[]): readonly Kind[] => kinds as unknown as Kind[];
const anyKind = (kind: { readonly kind: string }): Kind => kind as unknown as Kind;

function adapterCases(adapter: Adapter): (cases: unknown[]) => ReplayCase[] {
  return (cases) =>
    (cases as AdapterCase[]).map((item) => ({
      file: adapter.file,
      id: item.id,
      expected: item.steps
        .filter((step) => isPass(step))
        .map(({ result = {} }) => (isSkipped(adapter, result) ? 'skipped' : shown(adapter, result))),
      check: (wanted: unknown) => differencesOf(wanted, run(adapter, item)),
    }));
}

const isPass = (step: { readonly do: string }): boolean => step.do === 'reconcile' || step.do === 'finalize';
const isSkipped = (adapter: Adapter, result: Json): boolean =>
  result['upstreamPanics'] === true || adapter.skipPass?.(result) === true;

/** The part of an error text before what Go's libraries word in their own way. */
const stem = (text: string): string => text.replace(/error converting YAML to JSON: .*$/, 'error converting YAML to JSON');

function shown(adapter: Adapter, result: Json): unknown {
  if (result['configError'] !== undefined) return { configError: stem(String(result['configError'])) };
  const lists = Object.keys(adapter.lists).map((name) => {
    const objects = ((result[name] ?? []) as Resource[]).map(({ metadata, spec }) =>
      normalize({ metadata: { ...metadata, uid: undefined, generation: undefined }, spec }),
    );
    const nameOf = (object: unknown): string => {
      const { metadata } = object as Resource;
      return `${metadata.namespace ?? ''}/${metadata.name}`;
    };
    return [name, objects.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))] as const;
  });
  const probes = ((result['probes'] ?? []) as { route: string; version: string; urls?: Json }[]).map(
    ({ route, version, urls }) => [route, { version, urls: normalize(sortLists(urls)) }],
  );
  const error = result['error'];
  return {
    ...Object.fromEntries(lists),
    actions: [...((result['actions'] ?? []) as string[])].sort(),
    ...(adapter.withoutEvents !== true && { events: [...((result['events'] ?? []) as string[])].sort() }),
    status: normalize(result['status']),
    ...(probes.length > 0 && { probes: Object.fromEntries(probes) as Json }),
    ...(result['secretCopies'] !== undefined && { secretCopies: normalize(result['secretCopies']) }),
    ...(error !== undefined && { error }),
  };
}

const sortLists = (urls: Json | undefined): Json =>
  Object.fromEntries(Object.entries(urls ?? {}).map(([key, list]) => [key, [...(list as string[])].sort()]));

interface Probe extends ProbeState, ProbeTarget {}

function run(adapter: Adapter, item: AdapterCase): unknown[] {
  const store = new StoryStore(item.configs, adapter.kinds);
  for (const object of item.objects ?? [])
    store.write(object.apiVersion === undefined ? { ...object, apiVersion: 'v1' } : object);
  for (const secret of item.secrets ?? []) if (adapter.secret !== undefined) store.write(adapter.secret(secret));
  const probes = new Map<string, Probe>();
  let ready = adapter.ready;
  store.facts.set('ingress-probe', ({ key, params }) => {
    const target = params as ProbeTarget | undefined;
    if (target !== undefined && probes.get(key)?.version !== target.version) probes.set(key, { ...target, ready });
    return probes.get(key);
  });
  let current: string | undefined;
  const results: unknown[] = [];
  for (const step of item.steps) {
    if (step.do === 'apply' && step.object !== undefined) {
      const object = { ...step.object, apiVersion: 'networking.internal.knative.dev/v1alpha1', kind: 'Ingress' };
      const old = store.find(anyKind(ingresses), undefined, object.metadata.name);
      // The recording counts a generation for every apply, changed or not.
      const generation = (old?.metadata.generation ?? 0) + 1;
      const stored = store.write(object);
      store.replace({ ...stored, metadata: { ...stored.metadata, generation } });
      current = object.metadata.name;
    } else if (step.do === 'probe') {
      ready = step.ready ?? true;
      for (const [key, probe] of probes) probes.set(key, { ...probe, ready });
      if (!adapter.ready) ready = false;
    } else if (step.do === 'accept') {
      for (const route of store.all().filter(({ kind }) => kind === 'HTTPRoute')) {
        const status = (step.ready ?? true) ? 'True' : 'False';
        store.setStatus(anyKind(httpRoutes), route, { parents: [{ conditions: [{ type: 'Accepted', status }] }] });
      }
    } else if (isPass(step)) {
      results.push(runPass(adapter, item, store, probes, current, step.do, step.result ?? {}));
    }
  }
  return results;
}

function runPass(
  adapter: Adapter,
  item: AdapterCase,
  store: StoryStore,
  probes: Map<string, Probe>,
  current: string | undefined,
  what: string,
  result: Json,
): unknown {
  const configError = adapter.configError(item.configs ?? {});
  if (configError !== undefined) return { configError: stem(configError) };
  const kind = anyKind(ingresses);
  const ingress = store.find(kind, undefined, current ?? '') as Ingress | undefined;
  if (ingress === undefined) return 'no ingress';
  const { reconciler } = adapter;
  const plan: Plan =
    what === 'finalize'
      ? (reconciler.finalize?.(ingress, store.reader(), store.nowMs) ?? { writes: [] })
      : reconciler.reconcile(ingress, store.reader(), store.nowMs);
  store.carryOut(kind, ingress, plan);
  // The prober forgets what is gone.
  for (const write of plan.writes) if (write.op === 'delete') probes.delete(`${write.namespace ?? ''}/${write.name}`);
  if (isSkipped(adapter, result)) return 'skipped';
  const lists = Object.fromEntries(
    Object.entries(adapter.lists).map(([name, listed]) => [
      name,
      store.all().filter((object) => object.kind === listed.kind && object.apiVersion.startsWith(`${listed.group}/`)),
    ]),
  );
  // Upstream learns from the API server that a name is taken; we know without asking.
  const isTaken = plan.error?.endsWith('already exists') === true;
  const refused = isTaken
    ? { actions: ['create httproutes'], events: [`Warning CreationFailed ${(plan.error ?? '').replace(/^f/, 'F')}`] }
    : { actions: [], events: [] };
  // The recordings show the Gateways that VirtualServices bind to; one that is not needed any more stays, unseen.
  if (lists['virtualServices'] !== undefined) {
    const bound = new Set(lists['virtualServices'].flatMap(({ spec }) => (spec as { gateways?: string[] }).gateways ?? []));
    lists['gateways'] = (lists['gateways'] ?? []).filter(({ metadata }) =>
      bound.has(`${metadata.namespace ?? ''}/${metadata.name}`),
    );
  }
  const verbs = { create: 'create', update: 'update', patch: 'patch', delete: 'delete' } as const;
  return shown(adapter, {
    ...lists,
    actions: [...plan.writes.map((write) => `${verbs[write.op]} ${write.kind.plural}`), ...refused.actions],
    events: [...(plan.events ?? []).map(({ type, reason, message }) => `${type} ${reason} ${message}`), ...refused.events],
    ...(what !== 'finalize' && { status: store.find(kind, undefined, current ?? '')?.status }),
    ...(result['probes'] !== undefined && {
      probes: [...probes].map(([key, { version, urls }]) => ({ route: key.split('/')[1], version, urls })),
    }),
    ...secretCopiesOf(store, item),
    ...(plan.error !== undefined && { error: plan.error }),
  });
}

function secretCopiesOf(store: StoryStore, item: AdapterCase): Json {
  const own = new Set((item.secrets ?? []).map(({ namespace, name }) => `${namespace}/${name}`));
  const copies = store
    .all()
    .filter(({ kind, metadata }) => kind === 'Secret' && !own.has(`${metadata.namespace ?? ''}/${metadata.name}`))
    .map(({ metadata: { uid: _uid, generation: _generation, ...metadata }, ...secret }) => ({
      metadata,
      data: copiedData(store, item, (secret as Json)['data'] as Record<string, string> | undefined),
    }));
  return copies.length === 0 ? {} : { secretCopies: copies };
}

/** Values that are those of an original, in the recordings' words. */
function copiedData(store: StoryStore, item: AdapterCase, data: Record<string, string> | undefined): Json {
  const origins = (item.secrets ?? []).map(({ namespace, name }) => {
    const isIt = ({ kind, metadata }: Resource): boolean =>
      kind === 'Secret' && metadata.namespace === namespace && metadata.name === name;
    return ((store.all().find(isIt) ?? {}) as unknown as { data?: Record<string, string> }).data ?? {};
  });
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, value]) => [
      key,
      origins.some((origin) => origin[key] === value && origin['tls.crt'] === data?.['tls.crt']) ? '{copied}' : value,
    ]),
  );
}

const gatewayApi: Adapter = {
  file: 'ingress-gateway-api.json',
  reconciler: gatewayApiReconciler,
  kinds: anyKinds(httpRoutes, referenceGrants, gateways),
  ready: false,
  configError: (configs) => {
    const parsed = parseGatewayApiConfig(configs['config-gateway']);
    return 'error' in parsed ? parsed.error : undefined;
  },
  lists: { httpRoutes: anyKind(httpRoutes), referenceGrants: anyKind(referenceGrants), gateways: anyKind(gateways) },
};

const istio: Adapter = {
  file: 'ingress-istio.json',
  // The safe way is ours alone; upstream's is asked for.
  reconciler: createIstioReconciler({ hostMatch: 'prefix' }),
  kinds: anyKinds(virtualServices, istioGateways),
  ready: true,
  configError: (configs) => {
    const parsed = parseIstioConfig(configs['config-istio']);
    return 'error' in parsed ? parsed.error : undefined;
  },
  secret: ({ name, namespace, hosts }) =>
    ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace, uid: `uid-secret-${name}` },
      data: { 'tls.crt': btoa(pemFor(hosts)), 'tls.key': btoa(`key of ${name}`) },
    }) as Resource,
  lists: { virtualServices: anyKind(virtualServices), gateways: anyKind(istioGateways) },
  withoutEvents: true,
  // An upstream double delete with a stale cache; the state after the next pass counts.
  skipPass: ({ error }) => typeof error === 'string' && error.startsWith('failed to delete VirtualService'),
};

/** As much of a certificate as names its hosts. */
function pemFor(hosts: readonly string[]): string {
  const names = hosts.flatMap((host) => [0x82, host.length, ...new TextEncoder().encode(host)]);
  const length = (count: number): number[] => (count < 128 ? [count] : [0x82, count >> 8, count & 255]);
  const list = [0x30, ...length(names.length), ...names];
  const extension = [0x06, 0x03, 0x55, 0x1d, 0x11, 0x04, ...length(list.length), ...list];
  const body = btoa(String.fromCharCode(0x30, ...length(extension.length), ...extension));
  return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
}

export const files: Record<string, (cases: unknown[]) => Iterable<ReplayCase>> = {
  'ingress-gateway-api.json': adapterCases(gatewayApi),
  'ingress-istio.json': adapterCases(istio),
};
