// The report in a real browser, at desktop and phone width; and the sweep on threads. Skips the browser where there is none.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { kpa } from '../../src/autoscaler/index.ts';
import {
  cheapest,
  compare,
  distribution,
  load,
  scenarios,
  simulate,
  sweep,
  type SimulationOptions,
} from '../../src/simulator/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'simulation-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const options: SimulationOptions = {
  name: 'KPA <b> & "co"',
  policy: kpa({ target: 10 }),
  containerConcurrency: 20,
  load: load.poisson(load.step({ at: '30s', requestsPerSecond: 300 })),
  serviceTime: distribution.logNormal({ median: '150ms', p95: '500ms' }),
  duration: '5m',
};
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe('the report in Chromium', () => {
  test.for([
    { what: 'one run', width: 1280, height: 900, scheme: 'light' as const },
    { what: 'one run', width: 390, height: 844, scheme: 'dark' as const },
    { what: 'several runs', width: 390, height: 844, scheme: 'light' as const },
  ])('$what at $width px, $scheme: draws, explains at the cursor, zooms', async ({ what, width, height, scheme }, context) => {
    if (chromium === undefined) return context.skip('there is no Chromium on this machine');
    const path = join(folder, `${width}-${scheme}.html`);
    if (what === 'one run') await simulate(options).writeReport(path);
    else await compare(options, { low: kpa({ target: 5 }), high: kpa({ target: 40 }) }).writeReport(path);
    const { chromium: driver } = await import('playwright-core');
    const browser = await driver.launch({ executablePath: chromium, args: flags });
    try {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('request', (request) => {
        if (!request.url().startsWith('file:')) errors.push(`asked the network for ${request.url()}`);
      });
      await page.goto(pathToFileURL(path).href);
      await page.waitForSelector('html[data-drawn="4"]');
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      // Every canvas has ink on it.
      const inked = await page.evaluate(() =>
        [...document.querySelectorAll('canvas')].map((canvas) => {
          const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
          let count = 0;
          for (let index = 3; index < pixels.length; index += 4) if ((pixels[index] ?? 0) > 0) count++;
          return count > 500;
        }),
      );
      expect(inked).toEqual([true, true, true, true]);
      const place = page.locator('.u-over').first();
      const box = await place.boundingBox();
      await place.hover({ position: { x: (box?.width ?? 0) * 0.8, y: 40 } });
      expect(await page.locator('#why').innerText()).toMatch(/In stable mode \d+ ready pods/);
      const before = await page.locator('#why .time').innerText();
      await page.click('#zoom-in');
      await page.click('#zoom-in');
      await place.hover({ position: { x: 5, y: 40 } });
      expect(await page.locator('#why .time').innerText()).not.toBe('0:00');
      expect(before).toMatch(/^[34]:\d\d$/);
      await page.click('#theme');
      expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe(scheme === 'dark' ? 'light' : 'dark');
      expect(errors).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

describe('files', () => {
  test('names and texts of users stay text', async () => {
    const html = await simulate(options).toHtml();
    expect(html).toContain('<h1>KPA &lt;b&gt; &amp; &quot;co&quot;</h1>');
    expect(html).not.toContain('KPA <b>');
    expect(html).not.toMatch(/(src|href)="?https?:/);
  });

  test('the chart library inside is that of the installed package', async () => {
    const { uplotScript, uplotStyles } = await import('../../src/simulator/report/uplot-asset.ts');
    const installed = (name: string): string =>
      readFileSync(new URL(`../../node_modules/uplot/dist/${name}`, import.meta.url), 'utf8').trim();
    expect([uplotScript, uplotStyles]).toEqual([installed('uPlot.iife.min.js'), installed('uPlot.min.css')]);
  });

  test('CSV, JSON and SVG have the rows and the numbers', async () => {
    const run = simulate(options);
    const [csv, json, svg] = ['run.csv', 'deep/run.json', 'run.svg'].map((name) => join(folder, name));
    for (const path of [csv, json, svg]) await run.writeReport(path ?? '');
    const lines = readFileSync(csv ?? '', 'utf8')
      .trim()
      .split('\n');
    expect(lines).toHaveLength(302);
    expect(lines[0]).toMatch(/^atMs,requestsPerSecond,concurrency,/);
    const data: unknown = JSON.parse(readFileSync(json ?? '', 'utf8'));
    expect(data).toMatchObject({ formatVersion: 1, seed: 1, summary: { requests: run.summary.requests } });
    expect(readFileSync(svg ?? '', 'utf8')).toMatch(/^<svg [^]*prefers-color-scheme: dark[^]*<\/svg>\n$/);
    await expect(run.writeReport(join(folder, 'run.pdf'))).rejects.toMatchObject({ code: 'SIMULATOR_INVALID_OPTION' });
  });
});

describe('a sweep', () => {
  const base: SimulationOptions = { load: load.poisson(40), serviceTime: '200ms', duration: '5m', containerConcurrency: 10 };
  const parameters = { target: [2, 5, 10], 'max-scale': [1, 20] };

  test('on threads gives what one thread gives, in the order of the combinations', async () => {
    const alone = await sweep({ base, parameters, threads: 1 });
    const seen: number[] = [];
    const together = await sweep({ base, parameters, threads: 2, onResult: (_result, done) => void seen.push(done) });
    expect(together).toEqual(alone);
    expect(together.map((result) => result.parameters)[1]).toEqual({ target: 2, 'max-scale': 20 });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('finds the cheapest setting that keeps the objective, or none', async () => {
    const results = await sweep({
      base: { ...base, coldStart: '1s' },
      parameters: { target: [1, 4, 9], 'min-scale': [1, 8] },
      threads: 2,
    });
    const best = cheapest(results, { latencyMs: 250, share: 0.99 });
    expect(best?.summary.latency.p99Ms).toBeLessThanOrEqual(250);
    const cheaper = results.filter(({ summary }) => summary.instanceSeconds < (best?.summary.instanceSeconds ?? 0));
    for (const { summary } of cheaper) expect(summary.latency.p99Ms).toBeGreaterThan(250);
    expect(cheapest(results, { latencyMs: 100 })).toBeUndefined();
  });

  test("takes a module with a policy of one's own", async () => {
    const module = new URL('./sweep-scenario.ts', import.meta.url);
    const results = await sweep({ module, parameters: { instances: [2, 3] }, threads: 2 });
    expect(results.map(({ summary }) => Math.round(summary.maxReadyInstances))).toEqual([2, 3]);
  });

  test('says what is wrong', async () => {
    await expect(sweep({ base, parameters: { colour: ['red'] } })).rejects.toMatchObject({ path: 'parameters.colour' });
    await expect(sweep({ base: { ...base, policy: kpa() }, parameters: { seed: [1, 2] }, threads: 2 })).rejects.toMatchObject({
      code: 'SIMULATOR_NOT_DATA',
    });
  });

  test('scenarios are data, so that they can be swept', () => {
    for (const { options: scenario } of Object.values(scenarios)) expect(structuredClone(scenario)).toEqual(scenario);
  });
});
