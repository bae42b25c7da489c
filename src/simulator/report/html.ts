import type { SimulationRun } from '../simulation-run.ts';
import { reportClient } from './client.ts';
import { reportRun, type ReportRun } from './report-data.ts';
import { reportStyles } from './styles.ts';

/** The interactive report of one run, or of several on the same load: one HTML text that needs nothing else. */
export async function makeReport(runs: readonly SimulationRun[]): Promise<string> {
  const { uplotScript, uplotStyles } = await import('./uplot-asset.ts');
  const data = runs.map(reportRun);
  const title = data.length > 1 ? `${data.length} runs on the same load` : (data[0]?.name ?? 'simulation');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(data.map(({ name }) => name).join(' against '))} · simulation</title>
<style>${uplotStyles}${reportStyles}</style>
</head>
<body>
<main>
<header>
<h1>${escaped(title)}</h1>
<div class="bar"><button id="zoom-in" title="Zoom in at the cursor">+</button><button id="zoom-out" title="Zoom out">−</button><button id="zoom-reset">All</button><button id="theme">Light / dark</button></div>
</header>
${facts(data)}
${data.flatMap((run) => run.findings.map((finding) => findingCard(run, finding, data.length > 1))).join('\n')}
${data.length > 1 ? table(data) : numbers(data)}
<div id="charts"></div>
<noscript><p class="card">The charts need JavaScript; the numbers above do not.</p></noscript>
<footer>Drag over a chart to zoom, double-click to see everything again. ${data.length > 1 ? '' : 'Shaded: panic mode. '}Made by knative-embed; charts by uPlot.</footer>
</main>
<aside id="why"><div><p class="hint">Point at a chart, or tap it, to see why the autoscaler wanted what it wanted.</p></div></aside>
<script type="application/json" id="data">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>${uplotScript}</script>
<script>(${reportClient.toString()})(uPlot, JSON.parse(document.getElementById('data').textContent));</script>
</body>
</html>
`;
}

function facts(data: readonly ReportRun[]): string {
  const [first, ...rest] = data;
  const shared = Object.entries(first?.scenario ?? {}).filter(([name, value]) =>
    rest.every((run) => run.scenario[name] === value),
  );
  return `<p class="facts">${shared.map(([name, value]) => `<span>${escaped(name)} <b>${escaped(value)}</b></span>`).join('')}</p>`;
}

function findingCard(run: ReportRun, finding: string, many: boolean): string {
  return `<section class="card finding"><strong>Warning${many ? `, ${escaped(run.name)}` : ''}:</strong> ${escaped(finding)}</section>`;
}

function numbers(data: readonly ReportRun[]): string {
  const cells = (data[0]?.summary ?? []).map(([name, value]) => `<div>${escaped(name)}<b>${escaped(value)}</b></div>`);
  return `<section class="card numbers">${cells.join('')}</section>`;
}

/** What does not help to choose between runs. */
const leftOut = new Set(['requests', 'busy / idle', 'instance life']);

function table(data: readonly ReportRun[]): string {
  const shown = (run: ReportRun | undefined): ReportRun['summary'] => (run?.summary ?? []).filter(([name]) => !leftOut.has(name));
  const head = shown(data[0])
    .map(([name]) => `<th>${escaped(name)}</th>`)
    .join('');
  const rows = data.map((run, index) => {
    const cells = shown(run)
      .map(([, value]) => `<td>${escaped(value)}</td>`)
      .join('');
    return `<tr><td><span class="dot" style="background:var(--s${(index % 6) + 1})"></span>${escaped(run.name)}</td>${cells}</tr>`;
  });
  return `<section class="card scroll"><table><tr><th></th>${head}</tr>${rows.join('')}</table></section>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text for HTML and SVG. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
