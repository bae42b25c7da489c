import type { Load } from './load.ts';

/** A load in a few words, for tables and reports. */
export function describeLoad(of: Load): string {
  const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
  switch (of.kind) {
    case 'constant':
      return `${of.requestsPerSecond}/s`;
    case 'step':
      return `${of.before}/s, then ${of.requestsPerSecond}/s from ${seconds(of.atMs)}${of.untilMs === undefined ? '' : ` to ${seconds(of.untilMs)}`}`;
    case 'ramp':
      return `${of.from}/s to ${of.to}/s from ${seconds(of.startMs)} to ${seconds(of.endMs)}`;
    case 'sine':
      return `${of.mean}/s ± ${of.amplitude}/s every ${seconds(of.periodMs)}`;
    case 'bursts':
      return `${of.requestsPerSecond}/s for ${seconds(of.lengthMs)} every ${seconds(of.everyMs)}, else ${of.between}/s`;
    case 'days':
      return `days from ${of.low}/s to ${of.high}/s at ${of.peakHour}:00${of.weekendFactor === 1 ? '' : `, weekends × ${of.weekendFactor}`}`;
    case 'poisson':
      return `Poisson, ${describeLoad(of.load)}`;
    case 'sum':
      return of.loads.map(describeLoad).join(' + ');
    case 'trace':
      return `trace of ${of.timesMs.length} rates over ${seconds(of.endMs)}`;
    case 'arrivals':
      return `${of.timesMs.length} recorded requests`;
  }
}
