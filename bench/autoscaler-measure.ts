// How the autoscaler's benchmarks measure: process CPU time per operation, each workload in processes of its own.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** CPU nanoseconds per operation (user and system, GC and JIT threads included): the median of `runs`. */
export function cpuNs(operations: number, run: (operations: number) => void, runs = 5): number {
  run(Math.ceil(operations / 5));
  const samples = Array.from({ length: runs }, () => {
    const before = process.cpuUsage();
    run(operations);
    const used = process.cpuUsage(before);
    return ((used.user + used.system) * 1_000) / operations;
  });
  return median(samples);
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** One row: what is run, and what it is compared with. */
export interface Workload {
  readonly name: string;
  readonly operations: number;
  readonly start: () => (operations: number) => void;
  /** CPU ns of the Go reference, recorded on its own machine; see the vectors' GO-BASELINE.md. */
  readonly recordedNs: number;
  readonly goal: string;
}

const processes = 3;

/**
 * Prints a markdown table of all workloads and returns their CPU ns by name. Each is measured in three fresh processes, so that
 * none profits or suffers from what the compiler has learnt from another; the median counts.
 */
export function runWorkloads(url: string, workloads: readonly Workload[]): Map<string, number> {
  const chosen = process.argv[2];
  if (chosen !== undefined) {
    const workload = workloads[Number(chosen)];
    if (workload !== undefined) console.log(cpuNs(workload.operations, workload.start()));
    process.exit(0);
  }
  const results = new Map<string, number>();
  console.log('| workload | CPU ns | Go ns, recorded | ratio | goal |\n|---|---|---|---|---|');
  workloads.forEach(({ name, recordedNs, goal }, index) => {
    const samples = Array.from({ length: processes }, () => {
      const child = spawnSync(process.execPath, [fileURLToPath(url), String(index)], { encoding: 'utf8' });
      return Number(child.stdout);
    });
    const ns = median(samples);
    results.set(name, ns);
    console.log(
      `| ${name} | ${ns.toFixed(1)} | ${recordedNs.toLocaleString('en')} | ${(recordedNs / ns).toPrecision(3)}× | ${goal} |`,
    );
  });
  return results;
}

/** Keeps results alive, so that no loop is optimised away. */
export const sink = { value: 0 };
