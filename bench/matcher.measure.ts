// How the matcher's bench measures: CPU time of the process, garbage collector and compiler threads included.

const rounds = 5;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** CPU nanoseconds per call, median of five rounds after one for warming up. */
export function cpuNs(calls: number, run: () => void): number {
  for (let i = 0; i < calls; i++) run();
  const results: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage();
    for (let i = 0; i < calls; i++) run();
    const used = process.cpuUsage(start);
    results.push(((used.user + used.system) * 1_000) / calls);
  }
  return median(results);
}

/** Heap and typed arrays in use after a full collection, when node runs with --expose-gc; otherwise what is in use now. */
export function heapUsedAfterGc(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A markdown table. */
export function formatTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
