import { KnativeError } from '../../errors.ts';
import { applyParameters, type Parameters, type SweepResult } from '../grid.ts';
import type { SimulationOptions } from '../options.ts';
import { simulate } from '../simulation-run.ts';

/** Where the options of a sweep come from: data that parameters change, or a module's function of the parameters. */
export type SweepSource = { readonly base: SimulationOptions } | { readonly module: string };

/** What a worker is asked and answers. */
export interface SweepRequest {
  readonly source: SweepSource;
  readonly parameters: Parameters;
  readonly index: number;
}

export type SweepAnswer =
  { readonly index: number; readonly result: SweepResult } | { readonly index: number; readonly error: string };

/** Runs one combination. */
export async function runSweepJob({ source, parameters }: Pick<SweepRequest, 'source' | 'parameters'>): Promise<SweepResult> {
  const options = 'base' in source ? applyParameters(source.base, parameters) : await optionsOf(source.module, parameters);
  const { summary, oscillations } = simulate({ explanations: false, ...options });
  return { parameters, summary, oscillations: oscillations.map(({ sentence }) => sentence) };
}

async function optionsOf(module: string, parameters: Parameters): Promise<SimulationOptions> {
  const loaded: unknown = await import(module);
  const scenario: unknown = typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, 'scenario') : undefined;
  if (typeof scenario !== 'function') {
    throw new KnativeError('SIMULATOR_INVALID_MODULE', `${module} exports no function called scenario`, {
      hint: 'export function scenario(parameters) { return { load, policy, … } }',
    });
  }
  return (await scenario(parameters)) as SimulationOptions;
}
