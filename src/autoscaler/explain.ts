import type { Decision, Explanation } from './policy.ts';
import type { ScaleOutcome } from './scale.ts';

/** A decision's reasons; `rejected` is why it was not taken over, if it was not. */
export function explain(decision: Decision, rejected?: string): Explanation {
  const own = decision.explain?.() ?? plain(decision);
  if (rejected === undefined) return own;
  return { ...own, mode: 'rejected', sentence: `The last good decision stays: ${rejected}.` };
}

function plain(decision: Decision): Explanation {
  return {
    policy: 'unnamed',
    mode: decision.valid ? 'decided' : 'no-data',
    desired: decision.desired,
    observed: { excessBurstCapacity: decision.excessBurstCapacity },
    steps: [],
    sentence: decision.valid ? `The policy wants ${decision.desired}.` : 'The policy had not enough to decide on.',
  };
}

/** The whole way from load to replicas: the policy's reasons, then bounds and scale to zero. */
export function explainScale(decision: Explanation, outcome: ScaleOutcome): Explanation {
  const bounds = outcome.steps.map(({ rule, before, after }) => `${rule} changed ${before} to ${after}`);
  const zero = outcome.zero === '' ? [] : [outcome.zero];
  const result = outcome.want < 0 ? 'nothing is known yet' : `${outcome.want} wanted${outcome.apply ? '' : ', not applied yet'}`;
  return {
    ...decision,
    desired: outcome.want,
    steps: [...decision.steps, ...outcome.steps],
    sentence: `${decision.sentence} ${capitalized([...bounds, ...zero, result].join('; '))}.`,
  };
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
