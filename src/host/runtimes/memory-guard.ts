import type { Clock } from '../../clock.ts';
import type { Child } from './child.ts';
import type { Exit } from './launcher.ts';
import { residentBytes } from './process-table.ts';
import { joinMemoryGroup, type MemoryGroup } from './memory-group.ts';

/** Keeps children within their memory limits. */
export interface MemoryGuard extends Disposable {
  /** Watches a child until it has gone. `explain` turns its end into OOMKilled when the limit was the cause. */
  watch(child: Child, limitBytes: number | undefined): { explain(exit: Exit): Exit };
}

export interface MemoryGuardOptions {
  readonly clock: Clock;
  /** Time between looks at the resident memory where the kernel does not enforce the limit. Default 100 ms. */
  readonly pollMs?: number;
  /** Whether to use control groups where the system permits. Default true. */
  readonly controlGroups?: boolean;
}

/**
 * The kernel enforces the limit where this process may make control groups; elsewhere the resident memory of the child and its
 * descendants is looked at and the group killed when it is above, so that a short excess can go unnoticed.
 */
export function createMemoryGuard(options: MemoryGuardOptions): MemoryGuard {
  const { clock, pollMs = 100 } = options;
  const polled = new Map<number, { readonly child: Child; readonly limitBytes: number }>();
  let timer: Disposable | undefined;

  const poll = (): void => {
    timer = undefined;
    for (const [pid, { child, limitBytes }] of polled) {
      if (residentBytes(pid) > limitBytes) child.killForMemory(limitMessage(limitBytes));
    }
    if (polled.size > 0) timer = clock.setTimer(pollMs, poll);
  };

  return {
    watch(child, limitBytes) {
      if (limitBytes === undefined || limitBytes <= 0) return { explain: (exit) => exit };
      const group: MemoryGroup | undefined = options.controlGroups === false ? undefined : joinMemoryGroup(child.pid, limitBytes);
      if (group === undefined) {
        polled.set(child.pid, { child, limitBytes });
        timer ??= clock.setTimer(pollMs, poll);
      }
      return {
        explain(exit) {
          polled.delete(child.pid);
          const wasKilled = group?.killedForMemory() ?? false;
          group?.remove();
          return wasKilled && exit.signal === 'SIGKILL'
            ? { ...exit, reason: 'OOMKilled', message: limitMessage(limitBytes) }
            : exit;
        },
      };
    },
    [Symbol.dispose]() {
      timer?.[Symbol.dispose]();
      polled.clear();
    },
  };
}

function limitMessage(limitBytes: number): string {
  return `used more memory than its limit of ${Math.round(limitBytes / 1024 / 1024)} MiB`;
}
