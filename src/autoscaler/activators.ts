import type { DeciderSpec } from './policy.ts';
import { scaleUnknown } from './scale.ts';

/** Fewest activators of a revision that has any in its path. */
export const activatorsMin = 2;

/** How many activators a revision needs for its capacity and its burst capacity. */
export function activatorCount(
  readyPods: number,
  spec: Pick<DeciderSpec, 'targetBurstCapacity' | 'totalValue' | 'activatorCapacity'>,
): number {
  if (spec.targetBurstCapacity === 0) return activatorsMin;
  const capacity = readyPods * spec.totalValue + Math.max(0, spec.targetBurstCapacity);
  return Math.max(activatorsMin, Math.ceil(capacity / spec.activatorCapacity));
}

/**
 * Whether requests go through the activator (`Proxy`) or to the instances (`Serve`). `inactive` is the Active condition of before
 * this pass: a target that was scaled to zero stays behind the activator while nothing is known about it.
 */
export function serviceMode(want: number, excessBurstCapacity: number, inactive: boolean): 'Proxy' | 'Serve' {
  if (want === scaleUnknown && inactive) return 'Proxy';
  return want > 0 && excessBurstCapacity >= 0 ? 'Serve' : 'Proxy';
}
