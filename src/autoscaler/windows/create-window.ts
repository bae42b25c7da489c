import { LinearWindow } from './linear-window.ts';
import { PeakWindow } from './peak-window.ts';
import { WeightedWindow } from './weighted-window.ts';
import type { Aggregation, Window } from './window.ts';

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
