import { expect, test } from 'vitest';
import { createVirtualClock, sleep } from '../../../src/clock.ts';
import { runProbe, type ProbeKind } from '../../../src/host/runtimes/probe-runner.ts';
import type { ProbeSpec } from '../../../src/host/runtimes/runtime.ts';

interface Tried {
  /** Seconds after the start of the container. */
  readonly triesAt: readonly number[];
  readonly verdicts: readonly string[];
}

/** Runs a probe that begins `beginsAfterS` after the container; `answer` says how the try at this second goes and how long it takes. */
async function run(
  kind: ProbeKind,
  spec: ProbeSpec,
  forS: number,
  answer: (atS: number) => boolean,
  { beginsAfterS = 0, takesS = 0 } = {},
): Promise<Tried> {
  const clock = createVirtualClock();
  const startedMs = clock.monotonic();
  const seconds = (): number => (clock.monotonic() - startedMs) / 1_000;
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  clock.advanceSync(beginsAfterS * 1_000);
  const triesAt: number[] = [];
  const verdicts: string[] = [];
  const probe = runProbe({
    spec,
    kind,
    clock,
    startedMs,
    async attempt() {
      const atS = seconds();
      triesAt.push(atS);
      if (takesS > 0) await sleep(clock, takesS * 1_000);
      return answer(atS) ? { ok: true } : { ok: false, message: `no at ${atS}` };
    },
    onVerdict: (ok, message) => verdicts.push(ok ? `ok at ${seconds()}` : message),
  });
  const untilMs = startedMs + forS * 1_000;
  while (clock.runNext(untilMs - clock.monotonic() + clock.now())) await settle();
  probe[Symbol.dispose]();
  return { triesAt, verdicts };
}

const always = (): boolean => true;
const never = (): boolean => false;

test.each<[string, ProbeSpec, number, readonly number[]]>([
  ['one period after the start', { periodSeconds: 10 }, 0, [10, 20, 30]],
  ['at the first tick after the initial delay', { periodSeconds: 10, initialDelaySeconds: 11 }, 0, [20, 30]],
  ['at a tick that ends the initial delay', { periodSeconds: 10, initialDelaySeconds: 20 }, 0, [20, 30]],
  ['with a delay that counts from the start of the container', { periodSeconds: 10, initialDelaySeconds: 10 }, 12, [20, 30]],
  ['every 10 s unless said otherwise', {}, 3, [10, 20, 30]],
])('liveness is asked %s', async (_, spec, beginsAfterS, expected) => {
  expect((await run('liveness', spec, 35, always, { beginsAfterS })).triesAt).toEqual(expected);
});

test('liveness: a threshold of failures in a row; one success is always enough', async () => {
  const spec = { periodSeconds: 1, failureThreshold: 2, successThreshold: 3 };
  const { verdicts } = await run('liveness', spec, 6, (atS) => atS === 2 || atS === 3);
  expect(verdicts).toEqual(['ok at 2', 'ok at 3', 'no at 5', 'no at 6']);
});

test('readiness: at the end of the initial delay, with its success threshold', async () => {
  const spec = { periodSeconds: 2, initialDelaySeconds: 1, failureThreshold: 1, successThreshold: 2 };
  const { triesAt, verdicts } = await run('readiness', spec, 8, (atS) => atS < 6);
  expect([triesAt, verdicts]).toEqual([
    [1, 3, 5, 7],
    ['ok at 3', 'ok at 5', 'no at 7'],
  ]);
});

test('startup: a try at once, and failureThreshold × periodSeconds until it is given up', async () => {
  const { triesAt, verdicts } = await run('startup', { periodSeconds: 5, failureThreshold: 2 }, 10, never);
  expect([triesAt, verdicts]).toEqual([[0, 5, 10], ['no at 10']]);
  expect((await run('startup', { periodSeconds: 5, failureThreshold: 1 }, 1, always)).verdicts).toEqual(['ok at 0']);
  expect((await run('startup', { periodSeconds: 5, initialDelaySeconds: 5 }, 11, never)).triesAt).toEqual([5, 10]);
});

test('slow tries keep to the ticks; of those missed one is made up for', async () => {
  const spec = { periodSeconds: 1, timeoutSeconds: 9 };
  expect((await run('liveness', spec, 4, always, { takesS: 0.5 })).triesAt).toEqual([1, 2, 3, 4]);
  expect((await run('liveness', spec, 9, always, { takesS: 2.5 })).triesAt).toEqual([1, 3.5, 6, 8.5]);
});
