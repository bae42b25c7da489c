import { distribution } from './distribution.ts';
import { load } from './load.ts';
import type { SimulationOptions } from './options.ts';

/** A load that broke somebody's service, with what helps. */
export interface Scenario {
  readonly title: string;
  /** Where users reported it. */
  readonly report: string;
  readonly options: SimulationOptions;
  /** Changes of the options that settle it, by name. */
  readonly remedies: Readonly<Record<string, Partial<SimulationOptions>>>;
  /** What the run shows. */
  readonly finding: string;
}

/** The two scaling collapses that users reported upstream, as scenarios. */
export const scenarios = {
  steadyLoadCollapse: {
    title: 'Steady load scales down, then explodes',
    report: 'knative/serving#15121',
    options: {
      name: 'defaults',
      load: load.poisson(load.step({ at: '10s', requestsPerSecond: 1_500 })),
      serviceTime: distribution.exponential('8ms'),
      parallelism: 5,
      coldStart: distribution.logNormal({ median: '3s', p95: '8s' }),
      duration: '15m',
    },
    remedies: {
      'rps target 600': { annotations: { metric: 'rps', target: '600' } },
      'scale-down-delay 10m': { annotations: { 'scale-down-delay': '10m' } },
      'target 7': { annotations: { target: '7' } },
    },
    finding:
      'Concurrency says nothing about load until instances are saturated: 1,500 short requests a second are 12 in flight, which the ' +
      'default target of 70 serves with one instance, while the processors need three. Once panic is over the policy therefore halves ' +
      'down to one, the queue explodes, and the next panic asks for more than twenty. A target in requests per second, or one near what an ' +
      'instance can really work on, settles it; a scale-down delay only stretches the swing.',
  },
  flappingNearZero: {
    title: 'A few requests every minute, never settled at zero',
    report: 'knative/serving#12966',
    options: {
      name: 'defaults',
      load: load.bursts({ requestsPerSecond: 3, every: '75s', length: '1s', first: '30s' }),
      serviceTime: '50ms',
      coldStart: '3s',
      annotations: { metric: 'rps' },
      duration: '1h',
    },
    remedies: {
      'pod retention 2m': { annotations: { metric: 'rps', 'scale-to-zero-pod-retention-period': '2m' } },
      'window 2m': { annotations: { metric: 'rps', window: '2m' } },
      'min-scale 1': { annotations: { metric: 'rps', 'min-scale': '1' } },
    },
    finding:
      'Something asks three times every 75 s, as a health check does: the rate over the 60 s window bounces between 0 and 0.05 per second. ' +
      'The instance is kept for most of the time and yet nearly every request meets a cold start. Either keep it for longer than the ' +
      'requests are apart, by retention, window or a minimum of 1, or stop whatever asks.',
  },
} as const satisfies Record<string, Scenario>;
