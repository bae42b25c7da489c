import { resourceNameOf, type Kind } from '../api/kind.ts';
import { resourceKey, type Condition, type Resource } from '../api/resource.ts';
import type { Clock } from '../clock.ts';
import type { MemoryStore } from '../controller/memory-store.ts';
import { KnativeError } from '../errors.ts';
import type { ReadyOptions } from './host-types.ts';

const timeoutDefaultMs = 60_000;

/** Resolves when `condition` holds; it is looked at after every change of the store. Throws HOST_TIMEOUT. */
export async function waitForChange(
  store: MemoryStore,
  clock: Clock,
  what: string,
  condition: () => boolean,
  { timeoutMs = timeoutDefaultMs, signal }: Pick<ReadyOptions, 'timeoutMs' | 'signal'> = {},
): Promise<void> {
  signal?.throwIfAborted();
  if (condition()) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(signal?.reason as Error);
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = clock.setTimer(timeoutMs, () =>
    reject(new KnativeError('HOST_TIMEOUT', `${what}: not within ${timeoutMs / 1000} s`)),
  );
  const watching = store.watch({}, () => {
    if (condition()) resolve();
  });
  try {
    await promise;
  } finally {
    timer[Symbol.dispose]();
    watching[Symbol.dispose]();
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Resolves with the object once its Ready condition is True for its current generation. Throws HOST_NOT_READY with the reason. */
export async function waitUntilReady(
  store: MemoryStore,
  clock: Clock,
  kind: Kind,
  name: string,
  options: ReadyOptions,
): Promise<Resource> {
  const namespace = kind.namespaced ? (options.namespace ?? 'default') : undefined;
  const current = (): Resource | undefined => store.view.get(kind, namespace, name);
  const what = `${resourceNameOf(kind)} ${resourceKey(namespace, name)}`;
  try {
    await waitForChange(store, clock, what, () => isReady(current()), options);
  } catch (error) {
    if (!KnativeError.is(error) || error.code !== 'HOST_TIMEOUT') throw error;
    throw new KnativeError('HOST_NOT_READY', `${what} is not ready: ${whyNot(current())}`, { cause: error });
  }
  const found = current();
  if (found === undefined) throw new KnativeError('HOST_NOT_READY', `${what} is gone`);
  return found;
}

interface ConditionedStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

const statusOf = (resource: Resource | undefined): ConditionedStatus | undefined =>
  resource?.status as ConditionedStatus | undefined;

/** True when the Ready condition is True and speaks of the current generation. */
export function isReady(resource: Resource | undefined): boolean {
  const status = statusOf(resource);
  const isCurrent = status?.observedGeneration === undefined || status.observedGeneration === resource?.metadata.generation;
  return isCurrent && status?.conditions?.some(({ type, status: state }) => type === 'Ready' && state === 'True') === true;
}

/** Why an object is not ready, in the words of its conditions. */
export function whyNot(resource: Resource | undefined): string {
  if (resource === undefined) return 'it does not exist';
  const conditions = statusOf(resource)?.conditions ?? [];
  const reasons = conditions
    .filter(({ type, status, message, reason }) => type !== 'Ready' && status !== 'True' && (message ?? reason ?? '') !== '')
    .map(
      ({ type, reason, message }) =>
        `${type} ${[reason, message].filter((part) => part !== undefined && part !== '').join(': ')}`,
    );
  if (reasons.length > 0) return reasons.join('; ');
  const ready = conditions.find(({ type }) => type === 'Ready');
  return ready === undefined
    ? 'it has not been reconciled yet'
    : `${ready.status} ${ready.reason ?? ''} ${ready.message ?? ''}`.trim();
}
