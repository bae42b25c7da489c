// Replays of stories: steps that change a store, and passes of reconcilers over it.
import type { Kind } from '../../src/api/kind.ts';
import type { Reconciler } from '../../src/api/reconciler.ts';
import type { Resource } from '../../src/api/resource.ts';
import {
  certManagerCertificates,
  certManagerReconciler,
  challenges,
  clusterIssuers,
  configurationReconciler,
  domainMappingReconciler,
  hpaClassReconciler,
  labelerReconciler,
  revisionReconciler,
  routeReconciler,
  serviceReconciler,
} from '../../src/serving/index.ts';
import { differencesOf, type ReplayCase } from './replay.ts';
import { normalize, StoryStore, type Action, type Configs } from './serving.store.ts';

interface Step {
  readonly do: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly object?: unknown;
  readonly status?: unknown;
  readonly seconds?: number;
  readonly configs?: Configs;
  readonly images?: Readonly<Record<string, string>>;
  readonly result?: unknown;
}

interface Story {
  readonly id: string;
  readonly listers?: string;
  readonly configs?: Configs;
  readonly objects?: readonly Resource[];
  readonly steps: readonly Step[];
}

interface Result {
  readonly actions?: readonly Action[];
  readonly status?: unknown;
  readonly events?: readonly string[];
  readonly error?: string;
  readonly requeueAfterNs?: number;
}

/** Replays the stories of one file with the reconcilers that its steps name. */
export function storyCases(
  file: string,
  reconcilers: Readonly<Record<string, Reconciler>>,
  options: { readonly kinds?: readonly Kind[] } = {},
): (cases: unknown[]) => Iterable<ReplayCase> {
  return function* (cases) {
    for (const story of cases as Story[]) {
      if (story.listers === 'stale') {
        yield { file, id: story.id, skip: 'the other way of reading: our listers are fresh', expected: null, check: () => [] };
        continue;
      }
      const expected = story.steps
        .filter(isPass)
        .map((step) => normalizeResult((step.result ?? {}) as Result, hasNoStatus(step)));
      yield {
        file,
        id: story.id,
        expected,
        check: (wanted: unknown) => differencesOf(wanted, runStory(story, reconcilers, options.kinds)),
      };
    }
  };
}

const isPass = (step: Step): boolean => step.do === 'reconcile' || step.do === 'finalize';
/** Passes that write nothing of their own object. */
const hasNoStatus = (step: Step): boolean => step.do === 'finalize' || step.kind === 'Labeler';

function normalizeResult(result: Result, withoutStatus: boolean): unknown {
  const { actions = [], events = [], error, requeueAfterNs, status } = result;
  return {
    actions: actions
      .map((action) => {
        const {
          status: _status,
          apiVersion: _apiVersion,
          kind: _kind,
          ...object
        } = (action.object ?? {}) as Record<string, unknown>;
        return normalize({ ...action, object });
      })
      .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
    events: [...events].sort(),
    ...(!withoutStatus && { status: normalize(status) }),
    ...(error !== undefined && error !== '' && { error }),
    ...(requeueAfterNs !== undefined && requeueAfterNs !== 0 && { requeueAfterNs }),
  };
}

function sortKey(action: unknown): string {
  const { kind, name, object, verb } = action as {
    kind: string;
    verb: string;
    name?: string;
    object?: { metadata?: { name: string } };
  };
  return `${kind} ${name ?? object?.metadata?.name ?? ''} ${verb === 'delete' ? 0 : 1}`;
}

function runStory(
  story: Story,
  reconcilers: Readonly<Record<string, Reconciler>>,
  kinds: readonly Kind[] | undefined,
): unknown[] {
  const store = new StoryStore(story.configs, kinds);
  for (const object of story.objects ?? []) store.write(object);
  const results: unknown[] = [];
  for (const step of story.steps) {
    const result = runStep(store, step, reconcilers);
    if (result !== undefined) results.push(normalizeResult(result, hasNoStatus(step)));
  }
  return results;
}

function runStep(store: StoryStore, step: Step, reconcilers: Readonly<Record<string, Reconciler>>): Result | undefined {
  const { kind: kindName = '', name = '', namespace = 'default' } = step;
  switch (step.do) {
    case 'apply': {
      const object = step.object as Resource;
      const old = store.get(store.kindOf(object.apiVersion, object.kind), object.metadata.namespace, object.metadata.name);
      store.write(object);
      if (old !== undefined && object.status !== undefined) {
        store.mergeStatus(
          store.kindOf(object.apiVersion, object.kind),
          object.metadata.namespace,
          object.metadata.name,
          object.status,
        );
      }
      return undefined;
    }
    case 'status':
      store.mergeStatus(store.kindNamed(kindName), namespace, name, step.status);
      return undefined;
    case 'ready':
    case 'notready':
    case 'failed': {
      const kind = store.kindNamed(kindName);
      const generation = store.get(kind, namespace, name)?.metadata.generation;
      const ready =
        step.do === 'ready'
          ? { type: 'Ready', status: 'True' }
          : step.do === 'failed'
            ? { type: 'Ready', status: 'False', reason: 'ExitCode1', message: 'Container failed with: boom' }
            : { type: 'Ready', status: 'Unknown', reason: 'Deploying', message: 'waiting' };
      store.mergeStatus(kind, namespace, name, { observedGeneration: generation, conditions: [ready] });
      return undefined;
    }
    case 'advance':
      store.nowMs += (step.seconds ?? 0) * 1_000;
      return undefined;
    case 'delete':
      store.delete(store.kindNamed(kindName), namespace, name);
      return undefined;
    case 'config':
      store.configure(step.configs ?? {});
      return undefined;
    case 'annotate':
      store.annotate(store.kindNamed(kindName), namespace, name, step.object);
      return undefined;
    case 'resolved':
      store.facts.set('image-digest', ({ key }) => {
        const answer = step.images?.[key] ?? '';
        return answer.startsWith('error:') ? { error: answer.slice('error:'.length) } : { digest: answer };
      });
      return undefined;
    case 'reconcile':
    case 'finalize':
      return reconcile(store, step, reconcilers);
    default:
      throw new Error(`unknown step ${step.do}`);
  }
}

function reconcile(store: StoryStore, step: Step, reconcilers: Readonly<Record<string, Reconciler>>): Result {
  const { kind: kindName = '', name = '' } = step;
  const reconciler = reconcilers[kindName];
  if (reconciler === undefined) throw new Error(`no reconciler for ${kindName}`);
  const resource = store.find(reconciler.kind, step.namespace, name);
  if (resource === undefined) return {};
  const { namespace } = resource.metadata;
  const plan =
    step.do === 'finalize'
      ? (reconciler.finalize?.(resource, store.reader(), store.nowMs) ?? { writes: [] })
      : reconciler.reconcile(resource, store.reader(), store.nowMs);
  const actions = store.carryOut(reconciler.kind, resource, plan);
  return {
    actions,
    status: store.get(reconciler.kind, namespace, name)?.status,
    events: (plan.events ?? []).map(({ type, reason, message }) => `${type} ${reason} ${message}`),
    ...(plan.error !== undefined && { error: plan.error }),
    ...(plan.requeueAfterMs !== undefined && { requeueAfterNs: plan.requeueAfterMs * 1e6 }),
  };
}

/** Reconcilers of different kinds in one table. */
const table = (reconcilers: Record<string, { readonly name: string }>): Readonly<Record<string, Reconciler>> =>
  reconcilers as unknown as Readonly<Record<string, Reconciler>>;

export const files: Record<string, (cases: unknown[]) => Iterable<ReplayCase>> = {
  'reconcile.json': storyCases(
    'reconcile.json',
    table({
      Service: serviceReconciler,
      Configuration: configurationReconciler,
      Route: routeReconciler,
      Labeler: labelerReconciler,
    }),
  ),
  'route.json': storyCases('route.json', table({ Route: routeReconciler })),
  'revision-reconcile.json': storyCases('revision-reconcile.json', table({ Revision: revisionReconciler })),
  'domainmapping-reconcile.json': storyCases('domainmapping-reconcile.json', table({ DomainMapping: domainMappingReconciler })),
  'hpa-class.json': storyCases('hpa-class.json', table({ PodAutoscaler: hpaClassReconciler })),
  'certificate-reconcile.json': storyCases('certificate-reconcile.json', table({ Certificate: certManagerReconciler }), {
    kinds: [certManagerCertificates, clusterIssuers, challenges] as unknown as Kind[],
  }),
};
