// Replays breaker.json and throttler.json.
import { createRandom } from '../../src/random.ts';
import {
  activatorIndex,
  assignInstances,
  createBreaker,
  InstanceSet,
  revisionCapacity,
  type Breaker,
  type PickingPolicy,
  type Slot,
} from '../../src/serving/data-plane/index.ts';
import { differencesOf, type ReplayCase } from './replay.ts';

interface BreakerCase {
  readonly id: string;
  readonly params: { readonly queueDepth: number; readonly maxConcurrency: number; readonly initialCapacity: number };
  readonly ops: readonly { readonly op: string; readonly size?: number; readonly state: BreakerState }[];
}

interface BreakerState {
  readonly cancelled: number;
  readonly capacity: number;
  readonly done: number;
  readonly inFlight: number;
  readonly rejected: number;
  readonly running: number;
  readonly waiting: number;
}

export function* breakerCases(cases: unknown[]): Iterable<ReplayCase> {
  for (const item of cases as BreakerCase[]) {
    yield {
      file: 'breaker.json',
      id: item.id,
      expected: item.ops.map(({ state }) => state),
      check: (expected: readonly BreakerState[]) => differencesOf(expected, runBreaker(item)),
    };
  }
}

function runBreaker({ params, ops }: BreakerCase): BreakerState[] {
  const breaker = createBreaker(params);
  const counts = { cancelled: 0, done: 0, rejected: 0 };
  const waiting: { granted: () => void }[] = [];
  return ops.map(({ op, size }) => {
    step(breaker, op, size ?? 0, counts, waiting);
    const { capacity, inFlight, running } = breaker;
    return { ...counts, capacity, inFlight, running, waiting: breaker.waiting };
  });
}

function step(
  breaker: Breaker,
  op: string,
  size: number,
  counts: { cancelled: number; done: number; rejected: number },
  waiting: { granted: () => void }[],
): void {
  if (op === 'maybe') {
    const ticket = { granted: () => void waiting.splice(waiting.indexOf(ticket), 1) };
    const state = breaker.enter(ticket);
    if (state === 'full') counts.rejected++;
    else if (state === 'waiting') waiting.push(ticket);
  } else if (op === 'reserve') {
    if (!breaker.tryEnter()) counts.rejected++;
  } else if (op === 'finishOne') {
    if (breaker.running === 0) return;
    counts.done++;
    breaker.leave();
  } else if (op === 'cancelOneWaiting') {
    const oldest = waiting.shift();
    if (oldest !== undefined && breaker.cancel(oldest)) counts.cancelled++;
  } else if (op === 'resize') breaker.resize(size);
  else throw new Error(`unknown operation ${op}`);
}

interface ThrottlerCase {
  readonly id: string;
  readonly family: string;
  readonly containerConcurrency: number;
  readonly dests: readonly string[] | null;
  readonly clusterIP: string;
  readonly numActivators: number;
  readonly activatorIndex: number;
  readonly podsSorted: readonly string[];
  readonly expect: unknown;
  readonly containerConcurrencyPerPod: number;
  readonly policy: string;
  readonly pods: number;
  readonly picks: number;
  readonly steps: readonly { readonly op: string; readonly got?: string; readonly dest?: string; readonly pods?: number }[];
  readonly self: string;
  readonly sortedActivators: readonly string[];
}

export function* throttlerCases(cases: unknown[]): Iterable<ReplayCase> {
  for (const item of cases as ThrottlerCase[]) yield throttlerCase(item);
}

function throttlerCase(item: ThrottlerCase): ReplayCase {
  const common = { file: 'throttler.json', id: item.id };
  switch (item.family) {
    case 'throttler-capacity':
      return { ...common, expected: item.expect, check: (expected) => differencesOf(expected, runCapacity(item)) };
    case 'throttler-assign':
      return { ...common, expected: item.expect, check: (expected) => differencesOf(expected, runAssign(item)) };
    case 'throttler-index':
      return {
        ...common,
        expected: item.expect,
        check: (expected) => differencesOf(expected, { index: activatorIndex(item.sortedActivators, item.self) }),
      };
    case 'lb-roundRobin':
    case 'lb-firstAvailable': {
      const expected = item.steps.flatMap(({ op, got }) => (op === 'pick' ? [got] : []));
      return { ...common, expected, check: (wanted) => differencesOf(wanted, runPicking(item)) };
    }
    case 'lb-randomChoice2':
      return {
        ...common,
        expected: item.expect,
        // The recorded spread is one draw of many: 3 more are tolerated, and never a spread far above what it says.
        check: ({ maxMinusMin }: { maxMinusMin: number }) => {
          const spread = runRandomChoice(item);
          return spread <= maxMinusMin + 3 && maxMinusMin <= spread + 10 ? [] : [`spread ${spread}, recorded ${maxMinusMin}`];
        },
      };
    default:
      return { ...common, expected: undefined, skip: `unknown family ${item.family}`, check: () => [] };
  }
}

function runCapacity(item: ThrottlerCase): unknown {
  const dests = [...(item.dests ?? [])].sort();
  const clusterIp = item.clusterIP !== '';
  const assigned = clusterIp ? [] : assignInstances(dests, item.activatorIndex, item.numActivators, item.containerConcurrency);
  const capacity = revisionCapacity({
    containerConcurrency: item.containerConcurrency,
    backends: dests.length,
    assigned: assigned.length,
    clusterIp,
    activators: item.numActivators,
  });
  // Upstream's breaker without a limit is only open (1) or shut (0).
  return { assigned, capacity: capacity === Infinity ? 1 : capacity };
}

function runAssign(item: ThrottlerCase): unknown {
  // Slicing does not happen for unlimited concurrency; these cases have a limit.
  return { assignedDests: assignInstances(item.podsSorted, item.activatorIndex, item.numActivators, 1) };
}

const policies: Readonly<Record<string, PickingPolicy>> = {
  roundRobin: 'round-robin',
  firstAvailable: 'first-available',
  randomChoice2: 'random-choice-of-two',
};

const letter = (index: number): string => String.fromCharCode(97 + index);

function createSet(item: ThrottlerCase, containerConcurrency: number): InstanceSet<string> {
  const policy = policies[item.policy];
  if (policy === undefined) throw new Error(`unknown policy ${item.policy}`);
  return new InstanceSet<string>({ containerConcurrency, policy, random: createRandom(7) });
}

const podsUpTo = (count: number): { id: string; value: string }[] =>
  Array.from({ length: count }, (_, i) => ({ id: letter(i), value: letter(i) }));

function runPicking(item: ThrottlerCase): string[] {
  const set = createSet(item, item.containerConcurrencyPerPod);
  set.set(podsUpTo(item.pods));
  const held: Slot<string>[] = [];
  const picks: string[] = [];
  for (const { op, dest, pods } of item.steps) {
    if (op === 'pick') {
      const slot = set.pick();
      picks.push(slot?.id ?? '');
      if (slot !== undefined) held.push(slot);
    } else if (op === 'release') {
      const at = held.findIndex(({ id }) => id === dest);
      const [slot] = at < 0 ? [] : held.splice(at, 1);
      if (slot !== undefined) set.release(slot);
    } else if (op === 'resize') set.set(podsUpTo(pods ?? 0));
  }
  return picks;
}

function runRandomChoice(item: ThrottlerCase): number {
  const set = createSet(item, 0);
  set.set(Array.from({ length: item.pods }, (_, i) => ({ id: String(i).padStart(4, '0'), value: '' })));
  for (let i = 0; i < item.picks; i++) set.pick();
  const loads = set.slots.map(({ inFlight }) => inFlight);
  return Math.max(...loads) - Math.min(...loads);
}
