import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { EventLog, LogDelivery } from '../../../src/eventing/index.ts';
import { fileLog } from '../../../src/eventing/logs/file.ts';
import { logEvent, LogTaker } from '../../../src/testing/log-suite.ts';

const root = mkdtempSync(join(tmpdir(), 'knative-embed-model-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let runs = 0;

type Step =
  | { readonly kind: 'append'; readonly count: number; readonly triggers: readonly string[] }
  | { readonly kind: 'take'; readonly trigger: string; readonly every: number }
  | { readonly kind: 'remove'; readonly trigger: string }
  | { readonly kind: 'reopen' };

const names = ['a', 'b', 'c'];
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 40 }),
      triggers: fc.subarray(names),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      trigger: fc.constantFrom(...names),
      every: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), trigger: fc.constantFrom(...names) }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

test('behaves like a list per trigger, over restarts, removals, small files and little memory', { timeout: 30_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 25 }), async (script) => {
      const folder = join(root, String(++runs));
      const make = (): EventLog => fileLog(folder, { segmentBytes: 1_500, bufferedEvents: 5, retainBytes: 3_000, cursorMs: 1 });
      let log = make();
      await log.open();
      const model = new Map<string, string[]>();
      let next = 0;
      for (const step of script) {
        if (step.kind === 'append') {
          const triggers = step.triggers.map((name) => log.trigger(name));
          for (const name of step.triggers) if (!model.has(name)) model.set(name, []);
          let stored: Promise<void> | undefined;
          for (let n = 0; n < step.count; n++) {
            const id = String(next++);
            stored = log.append(logEvent(id), triggers, []);
            for (const name of step.triggers) model.get(name)?.push(id);
          }
          await stored;
        } else if (step.kind === 'take') {
          const owed = model.get(step.trigger) ?? [];
          if (!model.has(step.trigger)) model.set(step.trigger, owed);
          const taker = new LogTaker(log.trigger(step.trigger));
          const taken: LogDelivery[] = await taker.take(owed.length);
          expect(taken.map(({ event }) => event.id)).toEqual(owed);
          const kept = taken.filter((_, at) => at % step.every !== 0);
          for (const delivery of taken) if (!kept.includes(delivery)) delivery.ack();
          model.set(
            step.trigger,
            kept.map(({ event }) => event.id),
          );
          taker.close();
        } else if (step.kind === 'remove') {
          await log.remove(step.trigger);
          model.delete(step.trigger);
        } else {
          await log.close();
          log = make();
          await log.open();
          expect([...log.triggers].sort()).toEqual([...model.keys()].sort());
        }
        for (const [name, owed] of model) expect(log.trigger(name).backlog).toBe(owed.length);
      }
      await log.close();
      rmSync(folder, { recursive: true });
    }),
    { numRuns: 60 },
  );
});
