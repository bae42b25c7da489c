import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReplayCase } from './replay.ts';

/** A case of an eventing vector file: an id and whatever the file's README section says. */
export type VectorCase = { readonly id: string } & Readonly<Record<string, unknown>>;

/** Turns the cases of one file into replay cases. `meta` is the file's header. */
export type FileReplay = (file: string, cases: readonly VectorCase[], meta: unknown) => Iterable<ReplayCase>;

/** Reads a vector file; `undefined` when the folder does not have it. */
export function readVectors(folder: string, file: string): { meta: unknown; cases: readonly VectorCase[] } | undefined {
  const path = join(folder, file);
  if (!existsSync(path)) return undefined;
  return JSON.parse(readFileSync(path, 'utf8')) as { meta: unknown; cases: readonly VectorCase[] };
}
