// What every area's replay shares: how cases are listed, run, mutated and counted.

/** One golden case. */
export interface ReplayCase {
  /** File within the folder. */
  readonly file: string;
  readonly id: string;
  /** Why this case is not replayed; it counts as skipped. */
  readonly skip?: string;
  /** What the reference answered: exactly the values that `check` compares, nothing that it ignores. */
  readonly expected: unknown;
  /** Runs the case against `expected` and returns the differences, one line each; empty when it passes. A throw is a difference. */
  readonly check: (expected: never) => readonly string[] | Promise<readonly string[]>;
}

/** Lists the cases of a folder. Files that an area does not cover yet come as one skipped case named after the file. */
export type Replay = (folder: string) => Iterable<ReplayCase> | AsyncIterable<ReplayCase>;

export interface ReplayOptions {
  readonly mutate?: boolean;
  readonly only?: string;
  readonly differencesMax?: number;
  readonly print?: (line: string) => void;
}

export interface ReplayResult {
  passed: number;
  failed: number;
  skipped: number;
  failures: string[];
}

const sampledLeavesMax = 5;

/**
 * Runs every case and prints the first differences and the counts. With `mutate` a case passes when it notices that all
 * its expected values were altered, and each of a few single ones.
 */
export async function runReplay(replay: Replay, folder: string, options: ReplayOptions = {}): Promise<ReplayResult> {
  const print = options.print ?? ((): void => undefined);
  const differencesMax = options.differencesMax ?? 10;
  const result: ReplayResult = { passed: 0, failed: 0, skipped: 0, failures: [] };
  const skips = new Map<string, number>();
  for await (const item of replay(folder)) {
    const name = `${item.file} ${item.id}`;
    if (options.only !== undefined && !name.includes(options.only)) continue;
    if (item.skip !== undefined) {
      result.skipped++;
      const reason = `${item.file}: ${item.skip}`;
      skips.set(reason, (skips.get(reason) ?? 0) + 1);
      continue;
    }
    const differences = options.mutate ? await unnoticed(item) : await check(item, item.expected);
    if (differences.length === 0) {
      result.passed++;
      continue;
    }
    result.failed++;
    result.failures.push(name);
    if (result.failed <= differencesMax || options.mutate) {
      print(`FAIL ${name}`);
      for (const line of differences.slice(0, 6)) print(`  ${line.length > 600 ? `${line.slice(0, 600)}…` : line}`);
    }
  }
  if (!options.mutate && result.failed > differencesMax) print(`… and ${result.failed - differencesMax} more`);
  for (const [reason, count] of skips) print(`skipped ${count}: ${reason}`);
  print(`${result.passed} passed, ${result.failed} failed${result.skipped > 0 ? `, ${result.skipped} skipped` : ''}`);
  return result;
}

async function check(item: ReplayCase, expected: unknown): Promise<readonly string[]> {
  try {
    return await item.check(expected as never);
  } catch (error) {
    return [`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
  }
}

/** The mutations of a case that its check did not notice. */
async function unnoticed(item: ReplayCase): Promise<string[]> {
  const blind: string[] = [];
  const leaves = leafPaths(item.expected);
  if (
    (
      await check(
        item,
        mutateLeaves(item.expected, () => true),
      )
    ).length === 0
  )
    blind.push('altering every expected value goes unnoticed');
  const step = Math.max(1, leaves.length / sampledLeavesMax);
  for (let at = 0; at < leaves.length; at += step) {
    const path = leaves[Math.floor(at)];
    if (path === undefined) continue;
    if (
      (
        await check(
          item,
          mutateLeaves(item.expected, (candidate) => candidate === path),
        )
      ).length === 0
    ) {
      blind.push(`altering ${path || 'the value'} goes unnoticed`);
    }
  }
  return blind;
}

function leafPaths(value: unknown, path = ''): string[] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((item, index) => leafPaths(item, `${path}/${index}`));
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, item]) => leafPaths(item, `${path}/${key}`));
  }
  return [path];
}

function mutateLeaves(value: unknown, chosen: (path: string) => boolean, path = ''): unknown {
  if (Array.isArray(value) && value.length > 0) return value.map((item, index) => mutateLeaves(item, chosen, `${path}/${index}`));
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mutateLeaves(item, chosen, `${path}/${key}`)]));
  }
  if (!chosen(path)) return value;
  if (typeof value === 'number') return value === -1_001 ? 0 : value * 2 + 1_001; // -1001 would stay itself
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return `${value}~mutated`;
  return 'mutated';
}

/** Paths at which two JSON values differ, as lines `path: expected …, got …`. */
export function differencesOf(expected: unknown, actual: unknown, path = ''): string[] {
  if (Object.is(expected, actual)) return [];
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const lines =
      expected.length === actual.length
        ? []
        : [`${path || '.'}: expected ${expected.length} items, got ${actual.length}: ${show(actual)}`];
    for (let i = 0; i < Math.max(expected.length, actual.length) && lines.length < 20; i++) {
      lines.push(...differencesOf(expected[i], actual[i], `${path}[${i}]`));
    }
    return lines;
  }
  if (isRecord(expected) && isRecord(actual)) {
    return [...new Set([...Object.keys(expected), ...Object.keys(actual)])].flatMap((key) =>
      differencesOf(expected[key], actual[key], path === '' ? key : `${path}.${key}`),
    );
  }
  return [`${path || '.'}: expected ${show(expected)}, got ${show(actual)}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
