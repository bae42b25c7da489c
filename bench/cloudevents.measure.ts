// How the benches of the codec and of CESQL measure: CPU time of the process, garbage collector and compiler threads included.

const rounds = 5;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** CPU nanoseconds per call of `run(i)`, median of five rounds after one for warming up. `prepare` runs before each round, untimed. */
export function cpuNs(calls: number, run: (i: number) => void, prepare?: () => void): number {
  const results: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    prepare?.();
    const start = process.cpuUsage();
    for (let i = 0; i < calls; i++) run(i);
    const used = process.cpuUsage(start);
    if (round > 0) results.push(((used.user + used.system) * 1_000) / calls);
  }
  return median(results);
}

/** The same with `prepare` before each short batch, so that what it makes is still in the processor's cache. */
export function cpuNsInBatches(batches: number, calls: number, run: (i: number) => void, prepare: () => void): number {
  const results: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    let usedUs = 0;
    for (let batch = 0; batch < batches; batch++) {
      prepare();
      const start = process.cpuUsage();
      for (let i = 0; i < calls; i++) run(i);
      const used = process.cpuUsage(start);
      usedUs += used.user + used.system;
    }
    if (round > 0) results.push((usedUs * 1_000) / (batches * calls));
  }
  return median(results);
}

/** A markdown table. */
export function formatTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

export const ns = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(1));
export const times = (value: number): string => `${value >= 10 ? value.toFixed(0) : value.toFixed(1)} ×`;
