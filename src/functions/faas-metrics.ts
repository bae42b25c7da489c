import type { Handler } from '../http/exchange.ts';
import type { Attributes, Counter, Histogram, Meter } from '../telemetry/meter.ts';

/** Metrics of one function in faas-js-runtime's names, and the handler that shows them. */
export interface FaasMetrics {
  readonly meter: Meter;
  /** Adds `GET /metrics` (METRICS_URL) to a handler. */
  serving(handler: Handler): Handler;
}

const latencyBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** The counters and latencies of calls, with the process's CPU and memory read when somebody asks. */
export function createFaasMetrics(name: string, env: Readonly<Record<string, string | undefined>>): FaasMetrics {
  const labels = labelText({
    faas_name: name === '' ? (env['K_SERVICE'] ?? env['FAAS_NAME'] ?? '') : name,
    faas_id: env['FAAS_ID'] ?? name,
    faas_instance: env['POD_NAME'] ?? env['FAAS_INSTANCE'] ?? '',
    faas_version: env['K_REVISION'] ?? env['FAAS_VERSION'] ?? '',
    faas_runtime: 'Node.js',
  });
  const totals = { invocations: 0, errors: 0, count: 0, sum: 0, buckets: latencyBuckets.map(() => 0) };
  const path = env['METRICS_URL'] ?? '/metrics';

  const counting = (field: 'invocations' | 'errors'): Counter => ({
    add(value: number, _attributes?: Attributes) {
      totals[field] += value;
    },
  });
  const latency: Histogram = {
    record(seconds) {
      totals.count++;
      totals.sum += seconds;
      for (let i = 0; i < latencyBuckets.length; i++)
        if (seconds <= (latencyBuckets[i] ?? 0)) totals.buckets[i] = (totals.buckets[i] ?? 0) + 1;
    },
  };
  const ignored = { add: (): void => undefined, record: (): void => undefined };
  const meter: Meter = {
    counter: (metric) =>
      metric === 'faas.errors' ? counting('errors') : metric === 'faas.invocations' ? counting('invocations') : ignored,
    upDownCounter: () => ignored,
    gauge: () => ignored,
    histogram: () => latency,
  };

  const text = (): string => {
    const usage = process.cpuUsage();
    const lines = [
      ...metric('faas_invocations', 'counter', 'The number of times this function was invoked', [[labels, totals.invocations]]),
      ...metric('faas_errors', 'counter', 'The number of function invocation failures', [[labels, totals.errors]]),
      ...metric('faas_cpu_utilization', 'gauge', 'CPU time of the process in seconds', [
        [labels, (usage.user + usage.system) / 1e6],
      ]),
      ...metric('faas_mem_utilization', 'gauge', 'Resident memory of the process in bytes', [
        [labels, process.memoryUsage.rss()],
      ]),
      '# HELP faas_execution_latency The time it took for this function to be invoked and return',
      '# TYPE faas_execution_latency histogram',
      ...latencyBuckets.map((bound, i) => `faas_execution_latency_bucket{le="${bound}",${labels}} ${totals.buckets[i] ?? 0}`),
      `faas_execution_latency_bucket{le="+Inf",${labels}} ${totals.count}`,
      `faas_execution_latency_sum{${labels}} ${totals.sum}`,
      `faas_execution_latency_count{${labels}} ${totals.count}`,
    ];
    return `${lines.join('\n')}\n`;
  };
  return {
    meter,
    serving: (handler) => (exchange) => {
      if (exchange.target === path && exchange.method === 'GET') {
        exchange.respond(200, ['content-type', 'text/plain; version=0.0.4; charset=utf-8'], text());
        return;
      }
      return handler(exchange);
    },
  };
}

function metric(name: string, type: string, help: string, samples: readonly (readonly [string, number])[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map(([labels, value]) => `${name}{${labels}} ${value}`)];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`)
    .join(',');
}
