import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../src/clock.ts';
import { createRandom } from '../../src/random.ts';
import {
  childContext,
  createRegistry,
  createTraceparents,
  createTracer,
  formatTraceparent,
  openTelemetry,
  parseTraceparent,
  type FinishedSpan,
} from '../../src/telemetry/index.ts';

describe('registry', () => {
  test('writes counters, gauges and histograms as Prometheus text', () => {
    const registry = createRegistry();
    registry
      .counter('kn.activator.stats.conn.errors', { description: 'Errors', unit: '{error}' })
      .add(2, { peer: 'auto"scaler\n' });
    registry.gauge('kn.revision.pods.desired', { unit: '{item}' }).record(3);
    const duration = registry.histogram('kn.serving.invocation.duration', { unit: 's', boundaries: [0.1, 1] });
    for (const value of [0.05, 0.1, 0.5, 2]) duration.record(value, { b: 2, a: 'x' });
    expect(registry.prometheus()).toBe(
      [
        '# HELP kn_activator_stats_conn_errors_total Errors',
        '# TYPE kn_activator_stats_conn_errors_total counter',
        'kn_activator_stats_conn_errors_total{peer="auto\\"scaler\\n"} 2',
        '# TYPE kn_revision_pods_desired gauge',
        'kn_revision_pods_desired 3',
        '# TYPE kn_serving_invocation_duration_seconds histogram',
        'kn_serving_invocation_duration_seconds_bucket{a="x",b="2",le="0.1"} 2',
        'kn_serving_invocation_duration_seconds_bucket{a="x",b="2",le="1"} 3',
        'kn_serving_invocation_duration_seconds_bucket{a="x",b="2",le="+Inf"} 4',
        'kn_serving_invocation_duration_seconds_sum{a="x",b="2"} 2.65',
        'kn_serving_invocation_duration_seconds_count{a="x",b="2"} 4',
        '',
      ].join('\n'),
    );
  });

  test('equal attributes are one series, whatever their order and object', () => {
    const registry = createRegistry();
    const counter = registry.counter('c');
    const kept = { a: 1, b: 'x' };
    counter.add(1, kept);
    counter.add(1, { b: 'x', a: 1 });
    counter.add(1, kept);
    expect(registry.value('c', { a: 1, b: 'x' })).toBe(3);
    expect(registry.snapshot()[0]?.series).toHaveLength(1);
  });

  test('values that make no sense are left out, series are bounded, a name has one kind', () => {
    const registry = createRegistry({ seriesMax: 2 });
    const counter = registry.counter('c');
    counter.add(-1);
    counter.add(NaN);
    expect(registry.value('c')).toBe(0);
    for (let i = 0; i < 5; i++) counter.add(1, { i });
    expect(registry.value('c', { 'otel.metric.overflow': true })).toBe(3);
    expect(() => registry.gauge('c')).toThrow(/is a counter/);
  });
});

describe('trace context', () => {
  const header = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  test('reads and writes traceparent', () => {
    const context = parseTraceparent(header, 'a=b');
    expect(context).toEqual({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      sampled: true,
      traceState: 'a=b',
    });
    expect(context === undefined ? '' : formatTraceparent(context)).toBe(header);
  });

  test.each([
    undefined,
    '',
    header.slice(1),
    header.toUpperCase(),
    header.replace(/^00/, 'ff'),
    `${header}-extra`,
    header.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
    header.replace('b7ad6b7169203331', '0'.repeat(16)),
  ])('refuses %s', (value) => {
    expect(parseTraceparent(value)).toBeUndefined();
  });

  test('what is made can be read again', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed);
        const parent = childContext(random, undefined, true);
        const child = childContext(random, parent);
        expect(child).toMatchObject({ traceId: parent.traceId, sampled: true });
        expect(parseTraceparent(formatTraceparent(child))).toEqual(child);
        const next = createTraceparents(random);
        const made = Array.from({ length: 600 }, next);
        expect(new Set(made).size).toBe(600);
        for (const value of made) expect(parseTraceparent(value)?.sampled).toBe(false);
      }),
      { numRuns: 10 },
    );
  });
});

describe('tracer', () => {
  test('exports sampled spans with times and errors, below their parent', () => {
    const clock = createVirtualClock();
    const spans: FinishedSpan[] = [];
    const tracer = createTracer({ clock, random: createRandom(1), sampler: 'always', export: (span) => spans.push(span) });
    const outer = tracer.start('outer', { kind: 'server', attributes: { a: 1 } });
    clock.advanceSync(10);
    const inner = tracer.start('inner', { parent: outer.context });
    inner.set({ b: 2 });
    clock.advanceSync(5);
    inner.end(new Error('broke'));
    inner.end();
    outer.end();
    expect(spans.map(({ name, error, startMs, endMs }) => [name, error, endMs - startMs])).toEqual([
      ['inner', 'broke', 5],
      ['outer', undefined, 15],
    ]);
    expect(spans[0]).toMatchObject({ parentSpanId: outer.context.spanId, attributes: { b: 2 }, kind: 'internal' });
    expect(spans[0]?.context.traceId).toBe(spans[1]?.context.traceId);
  });

  test.each([
    ['always', false, true],
    ['never', true, false],
    ['parent', true, true],
    ['parent', false, false],
  ] as const)('the %s sampler on a parent with %s gives %s', (sampler, sampled, expected) => {
    const spans: FinishedSpan[] = [];
    const tracer = createTracer({ sampler, export: (span) => spans.push(span) });
    const span = tracer.start('x', { parent: { ...childContext(createRandom(1), undefined), sampled } });
    span.end();
    expect([span.context.sampled, spans.length]).toEqual([expected, expected ? 1 : 0]);
  });
});

test('OpenTelemetry ports work without a registered provider', async () => {
  const { meter, tracer } = await openTelemetry();
  meter.counter('c').add(1, { a: 1 });
  meter.histogram('h', { boundaries: [1, 2] }).record(1);
  const parent = childContext(createRandom(1), undefined, true);
  const span = tracer.start('x', { kind: 'client', parent });
  expect(span.context.traceId).toBe(parent.traceId);
  span.end(new Error('x'));
});
