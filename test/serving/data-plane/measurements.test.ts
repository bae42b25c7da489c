import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MeasurementBuffer, MeterSum } from '../../../src/serving/data-plane/workers/measurements.ts';
import { createRegistry } from '../../../src/telemetry/index.ts';

const a = { revision: 'a' };
const b = { revision: 'b' };

test('measurements of other processes add up to those of one', () => {
  const step = fc.record({
    source: fc.constantFrom('worker 0', 'worker 1'),
    of: fc.constantFrom(a, b),
    value: fc.integer({ min: 0, max: 100 }),
    flush: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const direct = createRegistry();
      const summed = createRegistry();
      const sum = new MeterSum(summed);
      const buffers = new Map<string, MeasurementBuffer>();
      const instruments = (meter: MeasurementBuffer | typeof direct) => ({
        requests: meter.counter('requests'),
        active: meter.upDownCounter('active'),
        duration: meter.histogram('duration', { unit: 's' }),
      });
      const one = instruments(direct);
      const of = new Map<string, ReturnType<typeof instruments>>();
      for (const { source, of: attributes, value, flush } of steps) {
        let buffer = buffers.get(source);
        if (buffer === undefined) {
          buffers.set(source, (buffer = new MeasurementBuffer()));
          of.set(source, instruments(buffer));
        }
        for (const set of [one, of.get(source)]) {
          set?.requests.add(value, attributes);
          set?.active.add(value % 2 === 0 ? 1 : -1, attributes);
          set?.duration.record(value / 100, attributes);
        }
        if (flush) sum.replay(source, buffer.take());
      }
      for (const [source, buffer] of buffers) sum.replay(source, buffer.take());
      for (const attributes of [a, b]) {
        for (const name of ['requests', 'active']) expect(summed.value(name, attributes)).toBe(direct.value(name, attributes));
      }
      const bucketsOf = (text: string): string[] => text.split('\n').filter((line) => line.includes('_bucket'));
      expect(bucketsOf(summed.prometheus()).sort()).toEqual(bucketsOf(direct.prometheus()).sort());
    }),
  );
});

test('levels show what the living sources say together', () => {
  const registry = createRegistry();
  const sum = new MeterSum(registry);
  const own = sum.source('owner').gauge('concurrency');
  own.record(2, a);
  const buffer = new MeasurementBuffer();
  const concurrency = buffer.gauge('concurrency');
  const active = buffer.upDownCounter('active');
  concurrency.record(7, a);
  concurrency.record(3, a);
  active.add(4, a);
  sum.replay('worker 0', buffer.take());
  expect(registry.value('concurrency', a)).toBe(5);
  expect(registry.value('active', a)).toBe(4);
  sum.forget('worker 0');
  expect(registry.value('concurrency', a)).toBe(2);
  expect(registry.value('active', a)).toBe(0);
  expect(buffer.take()).toEqual([]);
});
