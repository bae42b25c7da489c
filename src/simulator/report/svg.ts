import type { SeriesColumn } from '../series.ts';
import type { SimulationRun } from '../simulation-run.ts';
import { escaped } from './html.ts';
import { duration } from '../words.ts';

const width = 900;
const left = 64;
const right = 16;
const plotWidth = width - left - right;
/** A line needs no more points than the picture has pixels. */
const pointsMax = 800;

interface Panel {
  readonly title: string;
  readonly column: SeriesColumn;
  readonly stepped: boolean;
  readonly height: number;
  /** Only the first run: the load is the same for all. */
  readonly shared: boolean;
  readonly text: (value: number) => string;
}

const plain = (value: number): string =>
  value >= 10_000 ? `${Number((value / 1_000).toPrecision(3))} k` : String(Number(value.toPrecision(3)));
const panels: readonly Panel[] = [
  { title: 'Requests per second', column: 'requestsPerSecond', stepped: false, height: 90, shared: true, text: plain },
  { title: 'Ready instances', column: 'readyReplicas', stepped: true, height: 150, shared: false, text: plain },
  { title: 'Latency, 95th percentile', column: 'latencyP95Ms', stepped: false, height: 110, shared: false, text: duration },
];

// Not `Math.max`: rows without a value are NaN.
const larger = (a: number, b: number): number => (b > a ? b : a);

/** A picture for a README: load, instances and latency. Its colours follow the reader's theme. */
export function makeSvg(runs: readonly SimulationRun[]): string {
  let top = 34;
  const parts = panels.map((panel) => {
    const drawn = drawPanel(panel, runs, top + 22);
    top += panel.height + 44;
    return drawn;
  });
  const legend = runs.map(
    (run, index) => `<tspan class="k${index % 6}" dx="${index === 0 ? 0 : 18}">■ </tspan><tspan>${escaped(run.name)}</tspan>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top + 14}" role="img" aria-label="${escaped(runs.map(({ name }) => name).join(' against '))}">
<style>
text { font: 12px system-ui, sans-serif; fill: #5b6575; } .name { font-size: 14px; font-weight: 600; } .title { font-weight: 600; fill: #1c2330; }
.back { fill: #fff; } .grid { stroke: #e3e8ef; } path.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
${['#2563eb', '#ea580c', '#059669', '#9333ea', '#db2777', '#0891b2'].map((color, index) => `.c${index} { stroke: ${color}; } .k${index} { fill: ${color}; }`).join(' ')}
.load { stroke: #8a94a6; }
@media (prefers-color-scheme: dark) { text { fill: #9aa6b8; } .title { fill: #e8ecf2; } .back { fill: #171d27; } .grid { stroke: #2a3342; }
${['#60a5fa', '#fb923c', '#34d399', '#c084fc', '#f472b6', '#22d3ee'].map((color, index) => `.c${index} { stroke: ${color}; } .k${index} { fill: ${color}; }`).join(' ')} }
</style>
<rect class="back" width="${width}" height="${top + 14}" rx="10"/>
<text class="name" x="${left}" y="26">${legend.join('')}</text>
${parts.join('\n')}
${timeAxis(runs[0]?.durationMs ?? 1, top)}
</svg>
`;
}

function drawPanel(panel: Panel, runs: readonly SimulationRun[], top: number): string {
  const drawn = panel.shared ? runs.slice(0, 1) : runs;
  const most = Math.max(...drawn.map((run) => run.series.values(panel.column).reduce(larger, 0)));
  const high = niceTop(most);
  const bottom = top + panel.height;
  const yOf = (value: number): number => bottom - (value / high) * panel.height;
  const lines = [0, high / 2, high].map(
    (value) =>
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${yOf(value)}" y2="${yOf(value)}"/><text x="${left - 8}" y="${yOf(value) + 4}" text-anchor="end">${panel.text(value)}</text>`,
  );
  const paths = drawn.map(
    (run, index) => `<path class="line ${panel.shared ? 'load' : `c${index % 6}`}" d="${pathOf(run, panel, yOf)}"/>`,
  );
  return `<text class="title" x="${left}" y="${top - 8}">${panel.title}</text>${lines.join('')}${paths.join('')}`;
}

// Of the rows that fall on one point the highest is drawn: a peak must not vanish.
function pathOf(run: SimulationRun, panel: Panel, yOf: (value: number) => number): string {
  const values = run.series.values(panel.column);
  const times = run.series.values('atMs');
  const stride = Math.max(1, Math.ceil(values.length / pointsMax));
  let path = '';
  for (let index = 0; index < values.length; index += stride) {
    const value = values.subarray(index, index + stride).reduce(larger, 0);
    const x = (left + ((times[index] ?? 0) / run.durationMs) * plotWidth).toFixed(1);
    const y = yOf(value).toFixed(1);
    path += path === '' ? `M${x} ${y}` : panel.stepped ? `H${x}V${y}` : `L${x} ${y}`;
  }
  return path;
}

function timeAxis(durationMs: number, top: number): string {
  const labels = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    return `<text x="${left + share * plotWidth}" y="${top}" text-anchor="${anchor}">${clockText(durationMs * share)}</text>`;
  });
  return labels.join('');
}

/** Minutes and seconds, or hours and minutes. */
function clockText(ms: number): string {
  const [large, small] = ms >= 3_600_000 ? [ms / 3_600_000, (ms % 3_600_000) / 60_000] : [ms / 60_000, (ms % 60_000) / 1_000];
  return `${Math.floor(large)}:${String(Math.floor(small)).padStart(2, '0')}${ms >= 3_600_000 ? ' h' : ''}`;
}

function niceTop(most: number): number {
  if (most <= 0) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(most));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * magnitude >= most) ?? 10) * magnitude;
}
