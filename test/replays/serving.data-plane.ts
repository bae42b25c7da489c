// The data-plane files of the serving vectors; test/replays/serving.ts lists them among the others.
import { dataPlaneCases } from './serving.dataplane.ts';
import { breakerCases, throttlerCases } from './serving.breaker.ts';
import type { ReplayCase } from './replay.ts';

export const files: Readonly<Record<string, (cases: unknown[]) => Iterable<ReplayCase>>> = {
  'breaker.json': breakerCases,
  'throttler.json': throttlerCases,
  'dataplane.json': (cases) => dataPlaneCases(cases),
};
