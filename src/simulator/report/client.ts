import type uPlotClass from 'uplot';
import type { ReportRun } from './report-data.ts';

/**
 * The page's program. Its text is put into the report, so it stands alone: everything that it uses is inside it, but for the global
 * `uPlot`. Draws the charts, keeps their zoom and cursor together, and tells the decision at the cursor.
 */
export function reportClient(uPlot: typeof uPlotClass, runs: readonly ReportRun[]): void {
  interface Line {
    readonly label: string;
    readonly column: string;
    readonly run: number;
    readonly color: string;
    readonly dash?: boolean;
    readonly step?: boolean;
    readonly fill?: boolean;
    readonly thin?: boolean;
  }
  interface Chart {
    readonly title: string;
    readonly unit: 'count' | 'ms' | 'rate';
    readonly lines: readonly Line[];
    readonly height: number;
  }

  const first = runs[0];
  if (first === undefined) return;
  const many = runs.length > 1;
  const byId = (id: string): HTMLElement => document.getElementById(id) ?? document.body;
  const hidden = new Set<string>();
  const palette = ['--s1', '--s2', '--s3', '--s4', '--s5', '--s6'];
  const colorOf = (index: number): string => palette[index % palette.length] ?? '--s1';
  const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const seconds = (first.series['atMs'] ?? []).map((ms) => (ms ?? 0) / 1000);
  const lastSecond = seconds[seconds.length - 1] ?? 0;
  const recorded = first.startMs !== 1_700_000_000_000;
  let plots: uPlotClass[] = [];
  let values: HTMLElement[][] = [];
  let syncing = false;
  let lastRow: number | undefined;

  function chartsOf(): Chart[] {
    const load: Line[] = [{ label: 'requests/s', column: 'requestsPerSecond', run: 0, color: '--muted', fill: true }];
    if (!many) {
      return [
        {
          title: 'Load',
          unit: 'rate',
          height: 150,
          lines: [...load, { label: 'in flight', column: 'concurrency', run: 0, color: '--s1' }],
        },
        {
          title: 'Instances',
          unit: 'count',
          height: 230,
          lines: [
            { label: 'ready', column: 'readyReplicas', run: 0, color: '--s1', step: true, fill: true },
            { label: 'wanted', column: 'replicas', run: 0, color: '--s2', step: true, dash: true },
            { label: 'busy', column: 'busyReplicas', run: 0, color: '--s3', thin: true },
            { label: 'starting', column: 'startingReplicas', run: 0, color: '--s4', step: true },
            { label: 'draining', column: 'drainingReplicas', run: 0, color: '--muted', step: true },
          ],
        },
        {
          title: 'Latency',
          unit: 'ms',
          height: 190,
          lines: [
            { label: 'p50', column: 'latencyP50Ms', run: 0, color: '--s3' },
            { label: 'p95', column: 'latencyP95Ms', run: 0, color: '--s2' },
            { label: 'p99', column: 'latencyP99Ms', run: 0, color: '--s5' },
          ],
        },
        { title: 'Waiting and lost requests', unit: 'count', height: 130, lines: trouble(0, ['--s4', '--s2', '--s5', '--s1']) },
      ];
    }
    const each = (column: string, extra: Partial<Line> = {}): Line[] =>
      runs.map((run, index) => ({ label: run.name, column, run: index, color: colorOf(index), ...extra }));
    return [
      { title: 'Load', unit: 'rate', height: 120, lines: load },
      { title: 'Ready instances', unit: 'count', height: 230, lines: each('readyReplicas', { step: true }) },
      { title: 'Latency, 95th percentile', unit: 'ms', height: 190, lines: each('latencyP95Ms') },
      { title: 'Requests in flight, waiting ones included', unit: 'count', height: 170, lines: each('concurrency') },
    ];
  }

  function trouble(run: number, colors: readonly string[]): Line[] {
    const lines: Line[] = [
      { label: 'waiting', column: 'waiting', run, color: colors[0] ?? '--s1', fill: true },
      { label: 'rejected', column: 'rejected', run, color: colors[1] ?? '--s1' },
      { label: 'timed out', column: 'timedOut', run, color: colors[2] ?? '--s1' },
      { label: 'failed', column: 'failed', run, color: colors[3] ?? '--s1' },
    ];
    return lines.filter(
      ({ column }, index) => index === 0 || (runs[run]?.series[column] ?? []).some((value) => (value ?? 0) > 0),
    );
  }

  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');

  function timeText(second: number, exact: boolean): string {
    if (recorded) {
      const text = new Date((first?.startMs ?? 0) + second * 1000).toISOString();
      return exact ? `${text.slice(0, 10)} ${text.slice(11, 19)}` : text.slice(11, lastSecond > 7200 ? 16 : 19);
    }
    const clock = second >= 3600 ? `${Math.floor(second / 3600)}:${two((second % 3600) / 60)}` : `${Math.floor(second / 60)}`;
    return `${clock}:${two(second % 60)}`;
  }

  function valueText(value: number | null | undefined, unit: Chart['unit']): string {
    if (value === null || value === undefined) return '–';
    if (unit === 'ms') return value >= 1000 ? `${Number((value / 1000).toPrecision(3))} s` : `${Number(value.toPrecision(3))} ms`;
    return value >= 10_000 ? `${Number((value / 1000).toPrecision(3))} k` : String(Number(value.toPrecision(3)));
  }

  /** Shades the time in panic behind the lines; only for one run, where it says whose panic it was. */
  function drawPanic(plot: uPlotClass): void {
    const panic = first?.series['panic'] ?? [];
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = color('--panic');
    for (let index = 0; index < panic.length; index++) {
      if (panic[index] !== 1) continue;
      const from = index;
      while (panic[index + 1] === 1) index++;
      const left = plot.valToPos(seconds[from] ?? 0, 'x', true);
      const right = plot.valToPos(seconds[Math.min(index + 1, seconds.length - 1)] ?? 0, 'x', true);
      ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
    }
    ctx.restore();
  }

  function seriesOf(line: Line): uPlotClass.Series {
    const stroke = color(line.color);
    return {
      label: line.label,
      stroke,
      width: line.thin === true ? 1 : 1.8,
      show: !hidden.has(`${line.run} ${line.column}`),
      points: { show: false },
      spanGaps: true,
      ...(line.dash === true ? { dash: [5, 4] } : {}),
      ...(line.fill === true ? { fill: `color-mix(in srgb, ${stroke} 14%, transparent)` } : {}),
      ...(line.step === true && uPlot.paths.stepped !== undefined ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
    };
  }

  function draw(chart: Chart, place: HTMLElement, index: number): uPlotClass {
    const axis = {
      stroke: color('--soft'),
      grid: { stroke: color('--grid'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui',
    };
    const narrow = place.clientWidth < 500;
    return new uPlot(
      {
        width: place.clientWidth,
        height: narrow ? Math.round(chart.height * 0.85) : chart.height,
        legend: { show: false },
        padding: [8, 22, 0, 0],
        cursor: { sync: { key: 'simulation', setSeries: false }, points: { size: 6 }, drag: { x: true, y: false } },
        scales: { x: { time: false }, y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.06 : 1] } },
        axes: [
          {
            ...axis,
            size: 26,
            space: narrow ? 60 : 80,
            values: (_plot, splits) => splits.map((second) => timeText(second, false)),
            incrs: [1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800],
          },
          {
            ...axis,
            size: narrow ? 46 : 56,
            space: 34,
            values: (_plot, splits) => splits.map((value) => valueText(value, chart.unit)),
          },
        ],
        series: [{}, ...chart.lines.map(seriesOf)],
        hooks: {
          ...(many ? {} : { drawAxes: [drawPanic] }),
          setCursor: [(plot) => showValues(plot, chart, index)],
          setScale: [
            (plot, key) => {
              if (key === 'x') followZoom(plot);
            },
          ],
        },
      },
      [seconds, ...chart.lines.map((line) => (runs[line.run]?.series[line.column] ?? []) as number[])],
      place,
    );
  }

  function rangeOf(plot: uPlotClass | undefined): { min: number; max: number } | undefined {
    const { min, max } = plot?.scales['x'] ?? {};
    return typeof min === 'number' && typeof max === 'number' ? { min, max } : undefined;
  }

  function followZoom(plot: uPlotClass): void {
    if (syncing) return;
    syncing = true;
    const range = rangeOf(plot);
    if (range !== undefined) for (const other of plots) if (other !== plot) other.setScale('x', range);
    syncing = false;
  }

  function showValues(plot: uPlotClass, chart: Chart, index: number): void {
    // What was pointed at last stays readable, also when the charts are drawn anew.
    const row = plot.cursor.idx ?? lastRow;
    if (row === undefined) return;
    lastRow = row;
    chart.lines.forEach((line, at) => {
      const cell = values[index]?.[at];
      if (cell !== undefined) cell.textContent = valueText(runs[line.run]?.series[line.column]?.[row], chart.unit);
    });
    if (index === 0) showWhy(row);
  }

  function showWhy(row: number): void {
    const box = byId('why').firstElementChild;
    if (box === null) return;
    const second = seconds[row] ?? 0;
    const head = document.createElement('div');
    head.className = 'time';
    head.textContent = `${timeText(second, true)}`;
    box.replaceChildren(head, ...runs.flatMap((run, index) => paragraphOf(run, index, second)));
  }

  function paragraphOf(run: ReportRun, index: number, second: number): HTMLElement[] {
    let decision: ReportRun['decisions'][number] | undefined;
    for (const candidate of run.decisions) {
      if (candidate[0] > second) break;
      decision = candidate;
    }
    const paragraph = document.createElement('p');
    if (many) {
      const name = document.createElement('b');
      name.textContent = `${run.name}  `;
      name.style.color = `var(${colorOf(index)})`;
      paragraph.append(name);
    }
    if (decision === undefined) paragraph.append('No decision yet.');
    else {
      const mode = document.createElement('span');
      mode.className = `mode ${decision[1] === 'panic' ? 'panic' : ''}`;
      mode.textContent = `${decision[1]}, ${timeText(decision[0], false)}`;
      paragraph.append(mode, decision[2]);
    }
    return [paragraph];
  }

  function legendOf(chart: Chart, index: number): HTMLElement {
    const legend = document.createElement('div');
    legend.className = 'legend';
    values[index] = chart.lines.map((line, at) => {
      const key = `${line.run} ${line.column}`;
      const button = document.createElement('button');
      const swatch = document.createElement('i');
      swatch.style.setProperty('--c', `var(${line.color})`);
      if (line.dash === true) swatch.className = 'dash';
      const value = document.createElement('b');
      button.append(swatch, line.label, value);
      button.setAttribute('aria-pressed', String(!hidden.has(key)));
      button.addEventListener('click', () => {
        if (!hidden.delete(key)) hidden.add(key);
        button.setAttribute('aria-pressed', String(!hidden.has(key)));
        plots[index]?.setSeries(at + 1, { show: !hidden.has(key) });
      });
      legend.append(button);
      return value;
    });
    return legend;
  }

  function drawAll(): void {
    const range = rangeOf(plots[0]);
    for (const plot of plots) plot.destroy();
    values = [];
    const charts = chartsOf();
    const cards = charts.map((chart, index) => {
      const card = document.createElement('section');
      card.className = 'card';
      const head = document.createElement('div');
      head.className = 'head';
      const title = document.createElement('h2');
      title.textContent = chart.title;
      head.append(title, legendOf(chart, index));
      const place = document.createElement('div');
      place.className = 'plot';
      card.append(head, place);
      return { card, place };
    });
    byId('charts').replaceChildren(...cards.map(({ card }) => card));
    plots = [];
    charts.forEach((chart, index) => {
      const place = cards[index]?.place;
      if (place === undefined) return;
      const plot = draw(chart, place, index);
      plots.push(plot);
      showValues(plot, chart, index);
    });
    if (range !== undefined) plots[0]?.setScale('x', range);
  }

  function zoom(factor: number): void {
    const plot = plots[0];
    const range = rangeOf(plot);
    if (plot === undefined || range === undefined) return;
    const { min, max } = range;
    const middle =
      plot.cursor.left !== undefined && plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, 'x') : (min + max) / 2;
    const half = Math.min((max - min) * factor, lastSecond) / 2;
    const from = Math.max(0, Math.min(middle - half, lastSecond - 2 * half));
    plot.setScale('x', { min: from, max: Math.min(lastSecond, from + 2 * half) });
  }

  function isDark(): boolean {
    const chosen = document.documentElement.dataset['theme'];
    return chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
  }

  byId('zoom-in').addEventListener('click', () => zoom(0.5));
  byId('zoom-out').addEventListener('click', () => zoom(2));
  byId('zoom-reset').addEventListener('click', () => plots[0]?.setScale('x', { min: 0, max: lastSecond }));
  byId('theme').addEventListener('click', () => {
    document.documentElement.dataset['theme'] = isDark() ? 'light' : 'dark';
    drawAll();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  let width = innerWidth;
  addEventListener('resize', () => {
    // Phones fire this whenever their address bar hides.
    if (innerWidth === width) return;
    width = innerWidth;
    requestAnimationFrame(drawAll);
  });
  drawAll();
  document.documentElement.dataset['drawn'] = String(plots.length);
}
