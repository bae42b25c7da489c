import { optionFault } from '../fault.ts';
import type { SimulationRun } from '../simulation-run.ts';

/** Writes the runs into one file; the ending of its name says in which form. */
export async function writeReportFile(path: string, runs: readonly SimulationRun[]): Promise<void> {
  const text = await reportText(path, runs);
  const { mkdir, writeFile } = process.getBuiltinModule('node:fs/promises');
  const { dirname } = process.getBuiltinModule('node:path');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function reportText(path: string, runs: readonly SimulationRun[]): Promise<string> {
  const ending = path.slice(path.lastIndexOf('.'));
  switch (ending) {
    case '.html':
      return (await import('../report/html.ts')).makeReport(runs);
    case '.svg':
      return (await import('../report/svg.ts')).makeSvg(runs);
    case '.json':
      return `${JSON.stringify(runs.length === 1 ? runs[0] : runs)}\n`;
    case '.csv': {
      const [first] = runs;
      if (runs.length === 1 && first !== undefined) return first.toCsv();
      const [head = ''] = (first?.toCsv() ?? '').split('\n', 1);
      const rows = runs.flatMap((run) =>
        run
          .toCsv()
          .trimEnd()
          .split('\n')
          .slice(1)
          .map((line) => `${JSON.stringify(run.name)},${line}`),
      );
      return `${['name,' + head, ...rows].join('\n')}\n`;
    }
    default:
      throw optionFault('path', `ends in ${JSON.stringify(ending)}`, 'reports are .html, .svg, .csv or .json');
  }
}
