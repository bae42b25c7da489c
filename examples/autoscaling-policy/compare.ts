// The policy of this folder against the KPA on a morning's load: node compare.ts [report.html].
import { pathToFileURL } from 'node:url';
import { kpa } from 'knative-embed/autoscaler';
import { compare, distribution, load, type Comparison } from 'knative-embed/simulator';
import { steady } from './steady-policy.ts';

/** A program that takes twelve seconds to start, half a second per request, and a load that rises, jumps and falls. */
export function morning(): Comparison {
  return compare(
    {
      load: load.poisson(
        load.sum(
          load.ramp({ from: 2, to: 40, end: '15m' }),
          load.step({ at: '20m', until: '24m', requestsPerSecond: 120 }),
          load.bursts({ requestsPerSecond: 60, every: '10m', length: '20s', first: '5m' }),
        ),
      ),
      serviceTime: distribution.logNormal({ median: '400ms', p95: '1.2s' }),
      coldStart: distribution.logNormal({ median: '12s', p95: '25s' }),
      containerConcurrency: 10,
      duration: '40m',
      prices: { instanceHour: 0.05 },
    },
    {
      'KPA, target 7': kpa({ target: 7 }),
      'KPA, scale-down delay 3m': kpa({ target: 7, scaleDownDelay: '3m' }),
      steady: steady({ perInstance: 5, stepDownMs: 30_000 }),
    },
  );
}

const [, script, path = 'report.html'] = process.argv;
if (script !== undefined && import.meta.url === pathToFileURL(script).href) {
  const comparison = morning();
  console.table(comparison.table());
  await comparison.writeReport(path);
  console.log(`written: ${path}`);
}
