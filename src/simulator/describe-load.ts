import type { Load } from './load.ts';
import { duration } from './words.ts';

/** A load in a few words, for tables and reports. */
export function describeLoad(of: Load): string {
  switch (of.kind) {
    case 'constant':
      return `${of.requestsPerSecond}/s`;
    case 'step':
      return `${of.before}/s, then ${of.requestsPerSecond}/s from ${duration(of.atMs)}${of.untilMs === undefined ? '' : ` to ${duration(of.untilMs)}`}`;
    case 'ramp':
      return `${of.from}/s to ${of.to}/s from ${duration(of.startMs)} to ${duration(of.endMs)}`;
    case 'sine':
      return `${of.mean}/s ± ${of.amplitude}/s every ${duration(of.periodMs)}`;
    case 'bursts':
      return `${of.requestsPerSecond}/s for ${duration(of.lengthMs)} every ${duration(of.everyMs)}, else ${of.between}/s`;
    case 'days':
      return `days from ${of.low}/s to ${of.high}/s at ${of.peakHour}:00${of.weekendFactor === 1 ? '' : `, weekends × ${of.weekendFactor}`}`;
    case 'poisson':
      return `Poisson, ${describeLoad(of.load)}`;
    case 'sum':
      return of.loads.map(describeLoad).join(' + ');
    case 'trace':
      return `trace of ${of.timesMs.length} rates over ${duration(of.endMs)}`;
    case 'arrivals':
      return `${of.timesMs.length} recorded requests`;
  }
}
