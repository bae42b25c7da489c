import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runCli, type CliEdges } from '../../src/cli/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'simulate-command-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command in this process; the lines that it printed. */
async function simulate(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const edges: CliEdges = {
    env: {},
    stdin: process.stdin,
    print: (line) => void out.push(line),
    printError: (line) => void err.push(line),
    isTty: false,
    signal: new AbortController().signal,
  };
  const code = await runCli(['simulate', ...args], edges);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const load = ['--load', 'step:200/s@10s', '--duration', '5m', '--container-concurrency', '10'];

describe('knative-embed simulate', () => {
  test('prints a table, warnings and reasons, and writes reports', async () => {
    const report = join(folder, 'run.html');
    const { code, out } = await simulate(
      ...load,
      '--annotation',
      'target=10',
      '--compare',
      'target=2',
      '--explain',
      '4m',
      '--report',
      report,
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^ +KPA +target=2$/m);
    expect(out).toMatch(/^p95 +\d+ ms/m);
    expect(out).toContain('4m, target=2: In stable mode 15 ready pods');
    expect(readFileSync(report, 'utf8')).toContain('2 runs on the same load');
  });

  test('gives JSON', async () => {
    const { out } = await simulate(...load, '--json', '--seed', '4');
    expect(JSON.parse(out)).toMatchObject([{ name: 'KPA', seed: 4, summary: { requests: 57_999, rejected: 0 } }]);
  });

  test('replays a trace against a policy file', async () => {
    const trace = join(folder, 'tuesday.csv');
    writeFileSync(trace, 'time,requests_per_second\n2026-03-03T12:00:00Z,5\n2026-03-03T12:05:00Z,50\n2026-03-03T12:10:00Z,5\n');
    const policy = join(folder, 'always-three.ts');
    writeFileSync(
      policy,
      `export const policy = { name: 'three', metrics: () => [], initial: () => undefined, decide: () => ({ desired: 3, excessBurstCapacity: 0, valid: true }) };`,
    );
    const { code, out } = await simulate('--trace', trace, '--policy', policy, '--explain', '12:07');
    expect(code).toBe(0);
    expect(out).toContain('load: trace of 3 rates');
    expect(out).toContain('The policy wants 3.');
  });

  test('sweeps, and finds the cheapest setting that keeps an objective', async () => {
    const args = [...load, '--sweep', 'target=2,8', '--sweep', 'max-scale=2,40', '--cold-start', '500ms'];
    const found = await simulate(...args, '--objective', 'p95=150ms');
    expect(found).toMatchObject({ code: 0 });
    expect(found.out).toMatch(/cheapest that keeps it: target=8 max-scale=40$/);
    const none = await simulate(...args, '--objective', 'p50=10ms');
    expect(none).toMatchObject({ code: 1 });
    expect(none.out).toContain('no setting keeps the objective');
  });

  test('says what is wrong', async () => {
    expect(await simulate()).toMatchObject({ code: 2, err: expect.stringContaining('usage: knative-embed simulate') as string });
    expect((await simulate('--load', 'lots')).err).toContain('[SIMULATOR_INVALID_OPTION]');
    expect((await simulate('--trace', join(folder, 'none.csv'))).err).toContain('[CLI_FILE]');
    expect((await simulate(...load, '--policy', join(folder, 'none.ts'))).err).toContain('[CLI_POLICY]');
    expect((await simulate(...load, '--sweep', 'colour=red')).err).toContain('colour');
    expect((await simulate(...load, '--sweep', 'target=1', '--objective', 'fast')).err).toContain('p95=300ms');
  });
});
