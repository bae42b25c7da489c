import { annotationCases, configCases } from './autoscaler.admission.ts';
import type { Replay } from './replay.ts';

export const replay: Replay = function* (folder) {
  yield* configCases(folder);
  yield* annotationCases(folder);
};
