// How the autoscaler's benchmarks measure: process CPU time per operation, median of several runs.

/** CPU nanoseconds per operation (user and system, GC and JIT threads included): the median of `runs`. */
export function cpuNs(operations: number, run: (operations: number) => void, runs = 5): number {
  run(Math.ceil(operations / 5));
  const samples = Array.from({ length: runs }, () => {
    const before = process.cpuUsage();
    run(operations);
    const used = process.cpuUsage(before);
    return ((used.user + used.system) * 1_000) / operations;
  });
  samples.sort((a, b) => a - b);
  return samples[Math.floor(runs / 2)] ?? NaN;
}

export interface Row {
  readonly name: string;
  readonly ns: number;
  /** The Go reference's figure, recorded on its own machine; see the vectors' GO-BASELINE.md. */
  readonly recordedNs?: number;
  readonly goal?: string;
}

/** Prints a markdown table. */
export function printTable(rows: readonly Row[]): void {
  console.log('| workload | CPU ns | Go, recorded | ratio | goal |\n|---|---|---|---|---|');
  for (const { name, ns, recordedNs, goal } of rows) {
    const ratio = recordedNs === undefined ? '' : `${(recordedNs / ns).toPrecision(3)}×`;
    console.log(`| ${name} | ${ns.toFixed(1)} | ${recordedNs?.toLocaleString('en') ?? ''} | ${ratio} | ${goal ?? ''} |`);
  }
}

/** Keeps results alive, so that no loop is optimised away. */
export const sink = { value: 0 };
