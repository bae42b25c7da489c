import { annotationCases, configCases } from './autoscaler.admission.ts';
import { activatorCases, activeCases, deciderCases, multiScalerCases, scaleCases } from './autoscaler.control.ts';
import { edgeCases, traceCases, windowCases } from './autoscaler.decisions.ts';
import { hpaCases } from './autoscaler.hpa.ts';
import { loopCases } from './autoscaler.loop.ts';
import { activatorStatsCases, requestStatsCases, scrapeCases } from './autoscaler.stats.ts';
import type { Replay } from './replay.ts';

export const replay: Replay = function* (folder) {
  yield* windowCases(folder);
  yield* edgeCases(folder);
  yield* traceCases(folder);
  yield* configCases(folder);
  yield* annotationCases(folder);
  yield* deciderCases(folder);
  yield* scaleCases(folder);
  yield* activeCases(folder);
  yield* activatorCases(folder);
  yield* multiScalerCases(folder);
  yield* loopCases(folder);
  yield* requestStatsCases(folder);
  yield* activatorStatsCases(folder);
  yield* scrapeCases(folder);
  yield* hpaCases(folder);
};
