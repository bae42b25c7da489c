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
      name: 'target 8',
      load: load.poisson(load.ramp({ from: 100, to: 1_000, start: '10s', end: '3m' })),
      serviceTime: distribution.exponential('12ms'),
      parallelism: 3.5,
      coldStart: distribution.logNormal({ median: '3s', p95: '8s' }),
      annotations: { target: '8' },
      duration: '20m',
    },
    remedies: {
      'target 4': { annotations: { target: '4' } },
      'rps target 250': { annotations: { metric: 'rps', target: '250' } },
      'min-scale 5': { annotations: { target: '8', 'min-scale': '5' } },
    },
    finding:
      'Concurrency says little about load until instances are saturated: 1,000 requests of 12 ms a second are 12 in flight, which a target of ' +
      '8 × 70 % serves with 3 instances, while their processors need 4. Whenever panic is over the policy scales down to 3, the queue ' +
      'explodes, and the next panic asks for 40 to 60. A scale-down delay only postpones it: steady for ten minutes, then the same. What ' +
      'settles it is a target that an instance can really work on at once, one in requests per second, or enough instances at least.',
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
