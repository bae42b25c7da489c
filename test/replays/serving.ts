import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseExact } from '../../src/serving/traffic/rollout-annotation.ts';
import type { Replay, ReplayCase } from './replay.ts';
import { files as stories } from './serving.stories.ts';

type Files = Record<string, (cases: unknown[]) => Iterable<ReplayCase>>;

/** Parts of other owners, found by name so that this file stands alone. */
const parts = [
  'serving.validation.ts',
  'serving.data-plane.ts',
  'serving.decisions.ts',
  'serving.adapters.ts',
  'serving.queue-probes.ts',
];

const later: Record<string, string> = {
  'admission.json': 'comes with the next stage: whole AdmissionReview requests',
  'ingress-kourier.json': 'comes with the next stage: the Envoy form',
};

async function loadFiles(): Promise<Files> {
  const all: Files = { ...stories };
  for (const part of parts) {
    const url = new URL(part, import.meta.url);
    if (!existsSync(url)) continue;
    for (const [file, cases] of Object.entries(((await import(url.href)) as { files: Files }).files)) {
      const before = all[file];
      // Families of one file may belong to different owners.
      all[file] =
        before === undefined
          ? cases
          : function* (items) {
              yield* before(items);
              yield* cases(items);
            };
    }
  }
  return all;
}

export const replay: Replay = async function* (folder) {
  const files = await loadFiles();
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.json')) continue;
    const replayFile = files[file];
    if (replayFile === undefined || file in later) {
      yield { file, id: file, skip: later[file] ?? 'not covered yet', expected: null, check: () => [] };
      continue;
    }
    // Nanoseconds since the epoch do not fit into a number.
    const text = readFileSync(join(folder, file), 'utf8');
    yield* replayFile((file === 'rollout.json' ? parseExact(text) : JSON.parse(text)) as unknown[]);
  }
};
