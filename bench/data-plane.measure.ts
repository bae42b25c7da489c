// Measuring for the data-plane benchmarks: CPU time of this process per operation, median of several runs after a warm-up.

export function cpuNsPerOp(count: number, run: (count: number) => void, runs = 7): number {
  run(Math.ceil(count / 5));
  const samples = Array.from({ length: runs }, () => {
    const before = process.cpuUsage();
    run(count);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / count;
  });
  return samples.sort((a, b) => a - b)[runs >> 1] ?? NaN;
}

/** Rows of name, own figure and recorded Go figure, both in ns; NaN for none. */
export function printTable(title: string, rows: readonly (readonly [string, number, number])[]): void {
  console.log(`\n${title}\n\n| operation | ns CPU | Go, recorded | ÷ Go |\n| --- | --- | --- | --- |`);
  for (const [name, own, go] of rows) {
    console.log(
      `| ${name} | ${own.toFixed(1)} | ${Number.isNaN(go) ? '' : go} | ${Number.isNaN(go) ? '' : (own / go).toFixed(2)} |`,
    );
  }
}
