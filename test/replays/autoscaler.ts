import { annotationCases, configCases } from './autoscaler.admission.ts';
import { edgeCases, traceCases, windowCases } from './autoscaler.decisions.ts';
import type { Replay } from './replay.ts';

export const replay: Replay = function* (folder) {
  yield* windowCases(folder);
  yield* edgeCases(folder);
  yield* traceCases(folder);
  yield* configCases(folder);
  yield* annotationCases(folder);
};
