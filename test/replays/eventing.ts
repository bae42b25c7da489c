import { readdirSync } from 'node:fs';
import { auth } from './eventing.auth.ts';
import { dispatch, filterHandler, ingress } from './eventing.broker.ts';
import { configParse } from './eventing.config.ts';
import { readVectors, type FileReplay } from './eventing.files.ts';
import { filters } from './eventing.filters.ts';
import { observe } from './eventing.observe.ts';
import { eventPolicyMatch, resolve } from './eventing.policies.ts';
import { retry } from './eventing.retry.ts';
import { validation } from './eventing.validation.ts';
import type { Replay } from './replay.ts';

/** Who replays which file; a file that is not here is named as skipped. */
const files: Readonly<Record<string, FileReplay>> = {
  'auth.json': auth,
  'config-parse.json': configParse,
  'dispatch.json': dispatch,
  'eventpolicy-match.json': eventPolicyMatch,
  'filter-handler.json': filterHandler,
  'filters.json': filters,
  'ingress.json': ingress,
  'observe.json': observe,
  'resolve.json': resolve,
  'retry.json': retry,
  'validation.json': validation,
};

export const replay: Replay = function* (folder) {
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.json')) continue;
    const cover = files[file];
    const vectors = readVectors(folder, file);
    if (vectors === undefined) continue;
    if (cover === undefined) {
      yield { file, id: '', skip: 'this file is not covered yet', expected: undefined, check: () => [] };
    } else yield* cover(file, vectors.cases, vectors.meta);
  }
};
