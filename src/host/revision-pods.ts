import { pods, type Pod } from '../api/core/pod.ts';
import { revisions, type Revision } from '../api/serving/revision.ts';
import type { MemoryStore } from '../controller/memory-store.ts';
import { revisionLabel } from './serving-edge.ts';

export function revisionOf(store: Pick<MemoryStore, 'view'>, key: string): Revision | undefined {
  const slash = key.indexOf('/');
  return store.view.get(revisions, key.slice(0, slash), key.slice(slash + 1));
}

/** What keeps the instances of a revision from taking requests, in the words of their Pods. */
export function whyNoInstance(store: Pick<MemoryStore, 'view'>, key: string): string {
  const slash = key.indexOf('/');
  const selector = { namespace: key.slice(0, slash), labels: { [revisionLabel]: key.slice(slash + 1) } };
  const reasons = new Set(store.view.list(pods, selector).map(troubleOf));
  return reasons.size === 0 ? 'no instance has been started' : [...reasons].join('; ');
}

function troubleOf({ status }: Pod): string {
  for (const { name, state, ready, lastState } of status?.containerStatuses ?? []) {
    if (ready === true) continue;
    const { waiting, terminated } = state ?? {};
    if (waiting !== undefined) {
      const ended = lastState?.terminated;
      const before = ended === undefined ? '' : ` (it ended with exit code ${ended.exitCode})`;
      return `container ${name} waits: ${[waiting.reason, waiting.message].filter((part) => (part ?? '') !== '').join(': ')}${before}`;
    }
    if (terminated !== undefined) return `container ${name} ended with exit code ${terminated.exitCode}`;
    return `container ${name} runs and is not ready`;
  }
  return 'its pod has not been started yet';
}
