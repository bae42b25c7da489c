// Reading of the autoscaler's vector files.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The cases (or scenarios) of a file, none when the folder does not have it. */
export function casesOf<T>(folder: string, name: string): T[] {
  const path = join(folder, name);
  if (!existsSync(path)) return [];
  const content = JSON.parse(readFileSync(path, 'utf8')) as { cases?: T[]; scenarios?: T[] };
  return content.cases ?? content.scenarios ?? [];
}

/** A copy in the vectors' notation: non-finite numbers as text, -0 as 0. */
export function jsonNumbers(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : String(value);
  if (Array.isArray(value)) return value.map(jsonNumbers);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonNumbers(item)]));
  }
  return value;
}

/** A number of the vectors, which write non-finite ones as text. */
export function numberOf(value: number | string): number {
  return typeof value === 'number' ? value : Number(value);
}
