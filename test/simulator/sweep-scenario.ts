// A module for a sweep: options with a policy of its own, which cannot be sent to a thread.
import type { Policy } from '../../src/autoscaler/policy.ts';
import { load } from '../../src/simulator/load.ts';
import type { Parameters } from '../../src/simulator/grid.ts';
import type { SimulationOptions } from '../../src/simulator/options.ts';

export function scenario(parameters: Parameters): SimulationOptions {
  const desired = Number(parameters['instances']);
  const policy: Policy = {
    name: 'always',
    metrics: () => [],
    initial: () => undefined,
    decide: () => ({ desired, excessBurstCapacity: 0, valid: true }),
  };
  return { policy, load: load.constant(5), duration: '1m' };
}
