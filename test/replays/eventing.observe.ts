import { createFilterHandler } from '../../src/eventing/filter-handler.ts';
import { compileFilter, type FilterSpec } from '../../src/eventing/filters/compile-filter.ts';
import { forwardEvents } from '../../src/eventing/forward-events.ts';
import { createIngress } from '../../src/eventing/ingress.ts';
import { observeHops } from '../../src/eventing/telemetry.ts';
import { createRegistry, createTracer, type FinishedSpan, type Sampler } from '../../src/telemetry/index.ts';
import type { FileReplay } from './eventing.files.ts';
import { expectedHeaders, withWorld, type Sinks, type VectorRequest } from './eventing.world.ts';
import { differencesOf } from './replay.ts';

interface ObserveCase {
  readonly id: string;
  readonly component: 'ingress' | 'filter' | 'channel';
  readonly tracing: Sampler;
  readonly filter?: FilterSpec['filter'];
  readonly request: VectorRequest;
  readonly response: { readonly status: number; readonly headers: Record<string, string> };
  readonly sinks: Sinks;
  readonly sent: readonly { readonly to: string; readonly headers: Record<string, string> }[] | null;
  readonly spans?: readonly { name: string; kind: string; parent: string; trace: string; attributes: Record<string, string> }[];
  readonly metrics?: readonly { name: string; unit: string; points: { attributes: Record<string, string>; count: number }[] }[];
}

// Of the connection or of Go's client rather than of the component; ours do not report them, or not by the same rule.
const leftOut = new Set(['network.peer.port', 'server.port', 'user_agent.original']);
const placeholders = new Set(['server.address', 'http.request.body.size', 'http.response.body.size']);

function shownAttributes(attributes: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes)
      .filter(([name]) => !leftOut.has(name))
      .map(([name, value]) => [name, placeholders.has(name) ? '<some>' : String(value)])
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  );
}

const sentNames = /^(?:traceparent|tracestate|baggage|ce-trace.*|x-b3-.*|x-request-id|b3)$/;

/** Trace headers with ids replaced by what they stand for. */
function shownSent(
  headers: Readonly<Record<string, string>>,
  incoming: string | undefined,
  spans: readonly FinishedSpan[],
): unknown {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => sentNames.test(name))
      .map(([name, value]) => {
        if (name === 'baggage') return [name, value.split(',').sort().join()];
        if (name !== 'traceparent') return [name, value];
        const [version = '', trace = '', span = '', flags = ''] = value.split('-');
        const known = spans.find(({ context }) => context.spanId === span);
        return [
          name,
          `${version}-<trace ${trace === incoming ? 'IN' : 'NEW1'}>-<span${known === undefined ? '' : ` ${known.name}`}>-${flags}`,
        ];
      }),
  );
}

/** observe.json: trace headers that are sent on, spans and metrics. */
export const observe: FileReplay = function* (file, cases) {
  for (const item of cases) {
    const vector = item as unknown as ObserveCase;
    if (vector.component === 'channel') {
      yield { file, id: vector.id, skip: 'channels come later', expected: undefined, check: () => [] };
      continue;
    }
    const expected = {
      status: vector.response.status,
      allow: expectedHeaders(vector.response.headers)['allow'],
      sent: (vector.sent ?? []).map(({ to, headers }) => ({
        to,
        headers:
          headers['baggage'] === undefined ? headers : { ...headers, baggage: headers['baggage'].split(',').sort().join() },
      })),
      ...(vector.spans === undefined ? {} : { spans: vector.spans.map((span) => shownSpan(span)).sort(byName) }),
      ...(vector.metrics === undefined ? {} : { metrics: vector.metrics.map(shownMetric).sort(byName) }),
    };
    yield { file, id: vector.id, expected, check: async (wanted) => differencesOf(wanted, await run(vector)) };
  }
};

function shownSpan(span: NonNullable<ObserveCase['spans']>[number]): { name: string } {
  const { name, kind, parent, trace, attributes } = span;
  return { name, ...{ kind, parent, trace, attributes: shownAttributes(attributes) } };
}

function shownMetric({ name, unit, points }: NonNullable<ObserveCase['metrics']>[number]): { name: string } {
  return {
    name,
    ...{ unit, points: points.map(({ attributes, count }) => ({ attributes: shownAttributes(attributes), count })) },
  };
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);

function run(vector: ObserveCase): Promise<unknown> {
  return withWorld('sockets', vector.sinks, async (world) => {
    const { client, requests, requestHeaders, serve, send } = world;
    const spans: FinishedSpan[] = [];
    const meter = createRegistry();
    const tracer = createTracer({ sampler: vector.tracing, export: (span) => void spans.push(span) });
    if (vector.component === 'ingress') {
      const observer = observeHops({ component: 'ingress', tracer, meter, destinationOf: () => 'http://channel/' });
      const broker = forwardEvents({ url: () => 'http://channel/', client });
      serve(
        'server',
        createIngress({ brokerOf: (namespace, name) => (namespace === 'ns' && name === 'b1' ? broker : undefined), observer }),
      );
    } else {
      const observer = observeHops({ component: 'filter', tracer, meter, brokerOf: () => 'b1' });
      const filter = vector.filter === undefined ? undefined : compileFilter({ filter: vector.filter });
      const target = { uid: 'uid-1', filter, subscriber: 'http://subscriber/sub', reply: undefined, deadLetter: undefined };
      serve('server', createFilterHandler({ client, triggerOf: () => target, observer }));
    }
    const answer = await send('server', vector.request);
    const incoming = vector.request.headers['traceparent']?.split('-')[1];
    return {
      status: answer?.status,
      allow: answer?.headers['allow'],
      sent: requests.map(({ to }, at) => ({ to, headers: shownSent(requestHeaders[at] ?? {}, incoming, spans) })),
      ...(vector.spans === undefined ? {} : { spans: spans.map((span) => ownSpan(span, spans, incoming)).sort(byName) }),
      ...(vector.metrics === undefined ? {} : { metrics: metricsOf(meter).sort(byName) }),
    };
  });
}

function ownSpan(span: FinishedSpan, spans: readonly FinishedSpan[], incoming: string | undefined): { name: string } {
  const above = spans.find(({ context }) => context.spanId === span.parentSpanId)?.name;
  const parent = span.parentSpanId === undefined ? '' : (above ?? '<incoming>');
  const trace = span.context.traceId === incoming ? 'IN' : 'NEW1';
  return { name: span.name, ...{ kind: span.kind, parent, trace, attributes: shownAttributes(span.attributes) } };
}

function metricsOf(meter: ReturnType<typeof createRegistry>): { name: string }[] {
  return meter
    .snapshot()
    .filter(({ series }) => series.length > 0)
    .map(({ name, unit, series }) => ({
      name,
      ...{ unit, points: series.map(({ attributes, count }) => ({ attributes: shownAttributes(attributes), count })) },
    }));
}
