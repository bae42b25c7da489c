/** Timing and size of the steps of one configuration's rollout. Nanoseconds since the epoch, exact: they are compared as text. */
export interface RolloutParams {
  /** When the first percent moved. */
  readonly startTimeNs?: bigint;
  /** When the next step is due. */
  readonly nextStepTimeNs?: bigint;
  /** Between two steps. */
  readonly stepDurationNs?: bigint;
  /** Percent that move in one step. */
  readonly stepSize?: number;
}

/** A revision's share of the whole route's traffic. */
export interface RevisionRollout {
  readonly revisionName: string;
  readonly percent: number;
}

/** The rollout of one configuration under one tag. */
export interface ConfigurationRollout {
  readonly configurationName: string;
  /** '' for the route itself. */
  readonly tag: string;
  /** What the configuration gets in all; the revisions add up to it. */
  readonly percent: number;
  /** Oldest first; the last one is being rolled out. One or none: nothing is in progress. */
  readonly revisions: readonly RevisionRollout[];
  readonly stepParams: RolloutParams;
}

/** The rollouts of a route, sorted by tag and configuration. Kept in an annotation of its Ingress between passes. */
export interface Rollout {
  readonly configurations: readonly ConfigurationRollout[];
}

export const emptyRollout: Rollout = { configurations: [] };
const secondNs = 1_000_000_000n;

/** True when no configuration is between two revisions. */
export function rolloutDone(rollout: Rollout): boolean {
  return rollout.configurations.every((configuration) => configuration.revisions.length < 2);
}

/** False for a state that cannot be: it is thrown away then, and traffic moves at once. */
export function rolloutValid(rollout: Rollout): boolean {
  return rollout.configurations.every(({ percent, revisions, stepParams: { stepSize = 0 } }) => {
    if (percent > 100 || stepSize < 0 || stepSize > percent) return false;
    return revisions.reduce((total, revision) => total + revision.percent, 0) === percent;
  });
}

/** The rollouts of one tag, sorted by configuration. */
export function rolloutsOfTag(rollout: Rollout, tag: string): readonly ConfigurationRollout[] {
  const first = rollout.configurations.findIndex((configuration) => configuration.tag >= tag);
  if (first < 0) return [];
  let end = first;
  while (rollout.configurations[end]?.tag === tag) end++;
  return rollout.configurations.slice(first, end);
}

/**
 * Fixes step size and duration of the rollouts whose first percent has just become effective: the time that took sets the pace,
 * at least a second a step. Called when the Ingress becomes ready again.
 */
export function observeReady(rollout: Rollout, nowNs: bigint, durationSeconds: number): Rollout {
  return {
    configurations: rollout.configurations.map((configuration) => {
      const { startTimeNs = 0n, stepDurationNs = 0n } = configuration.stepParams;
      if (stepDurationNs !== 0n || startTimeNs <= 0n) return configuration;
      const elapsedSeconds = Math.max(1, Math.ceil(Number(nowNs - startTimeNs) / Number(secondNs)));
      return { ...configuration, stepParams: paceOf(configuration, startTimeNs, nowNs, elapsedSeconds, durationSeconds) };
    }),
  };
}

function paceOf(
  configuration: ConfigurationRollout,
  startTimeNs: bigint,
  nowNs: bigint,
  stepSecondsMin: number,
  totalSeconds: number,
): RolloutParams {
  const seconds = Math.max(1, totalSeconds - stepSecondsMin);
  const remaining = configuration.percent - 1;
  const steps = Math.min(Math.max(1, seconds / stepSecondsMin), remaining);
  const stepDuration = (seconds / steps) * Number(secondNs);
  return {
    startTimeNs,
    nextStepTimeNs: BigInt(Math.trunc(Number(nowNs) + stepDuration)),
    stepDurationNs: BigInt(Math.trunc(stepDuration)),
    stepSize: Math.round(remaining / steps),
  };
}

/**
 * The traffic shape to program now: what the traffic targets ask for (`current`) merged with the state of the pass before.
 * `nextStepTimeNs` is the time of the closest step, 0n when none is due. One call moves one step, however late it is.
 */
export function stepRollout(
  current: Rollout,
  previous: Rollout | undefined,
  nowNs: bigint,
): { readonly rollout: Rollout; readonly nextStepTimeNs: bigint } {
  if (previous === undefined || previous.configurations.length === 0) return { rollout: current, nextStepTimeNs: 0n };
  const configurations: ConfigurationRollout[] = [];
  for (const tag of new Set(current.configurations.map((configuration) => configuration.tag))) {
    const wanted = current.configurations.filter((configuration) => configuration.tag === tag);
    const before = previous.configurations.filter((configuration) => configuration.tag === tag);
    if (before.length === 0) configurations.push(...wanted.slice(0, 1));
    else stepTag(configurations, wanted, before, nowNs);
  }
  let nextStepTimeNs = 0n;
  for (const { stepParams } of configurations) {
    const due = stepParams.nextStepTimeNs ?? 0n;
    if (due > 0n && (nextStepTimeNs === 0n || due < nextStepTimeNs)) nextStepTimeNs = due;
  }
  return { rollout: sortRollout(configurations), nextStepTimeNs };
}

/** Walks both sorted lists of one tag side by side. */
function stepTag(
  into: ConfigurationRollout[],
  wanted: readonly ConfigurationRollout[],
  before: readonly ConfigurationRollout[],
  nowNs: bigint,
): void {
  let at = 0;
  for (const goal of wanted) {
    let previous = before[at];
    while (previous !== undefined && previous.configurationName < goal.configurationName) previous = before[++at];
    if (previous === undefined) into.push(goal);
    else if (previous.configurationName === goal.configurationName) {
      at++;
      // A share of one percent cannot be split, and none needs no rollout.
      if (goal.percent > 1) into.push(stepConfiguration(goal, previous, nowNs));
      else if (goal.percent === 1) into.push(goal);
    } else if (goal.percent !== 0) into.push(goal);
  }
}

function stepConfiguration(goal: ConfigurationRollout, previous: ConfigurationRollout, nowNs: bigint): ConfigurationRollout {
  const before = adjustPercentage(previous, goal.percent);
  const [goalRevision] = goal.revisions;
  const last = before.at(-1);
  if (goalRevision === undefined || last === undefined || goalRevision.revisionName === last.revisionName) {
    if (before.length < 2) return { ...goal, stepParams: {} };
    let stepParams = previous.stepParams;
    // Upstream crashes when a lowered percentage drops a revision; a step must then not exceed what is left.
    if (before.length < previous.revisions.length && (stepParams.stepSize ?? 0) > goal.percent) {
      stepParams = { ...stepParams, stepSize: goal.percent };
    }
    const merged = { ...goal, revisions: before, stepParams };
    return (stepParams.stepSize ?? 0) > 0 ? stepRevisions(merged, nowNs) : merged;
  }
  // A new revision starts with one percent, taken from the newest one that has any.
  const kept = before.slice();
  const donor = kept.findLastIndex((revision) => revision.percent > 0);
  const giving = kept[donor];
  if (giving !== undefined) kept[donor] = { ...giving, percent: giving.percent - 1 };
  return {
    ...goal,
    revisions: [...kept.filter((revision) => revision.percent !== 0), { ...goalRevision, percent: 1 }],
    stepParams: { startTimeNs: nowNs },
  };
}

/** The revisions after the share of their configuration changed: the newest gains, the oldest lose. */
function adjustPercentage(previous: ConfigurationRollout, goal: number): readonly RevisionRollout[] {
  const { revisions } = previous;
  const last = revisions.at(-1);
  if (last === undefined || goal === previous.percent) return revisions;
  if (goal === 0) return [];
  if (goal > previous.percent) return [...revisions.slice(0, -1), { ...last, percent: last.percent + goal - previous.percent }];
  let excess = previous.percent - goal;
  for (const [index, revision] of revisions.entries()) {
    if (revision.percent > excess) {
      return [{ ...revision, percent: revision.percent - excess }, ...revisions.slice(index + 1)];
    }
    excess -= revision.percent;
  }
  return [];
}

/** Moves one step from the second newest revisions down to the newest, when it is due. */
function stepRevisions(configuration: ConfigurationRollout, nowNs: bigint): ConfigurationRollout {
  const { revisions, stepParams, percent } = configuration;
  const newest = revisions.at(-1);
  if (newest === undefined || revisions.length < 2 || nowNs < (stepParams.nextStepTimeNs ?? 0n)) return configuration;
  const stepSize = stepParams.stepSize ?? 0;
  const kept = revisions.slice(0, -1);
  let remaining = stepSize;
  for (let donor = kept.at(-1); donor !== undefined && remaining > 0; donor = kept.at(-1)) {
    if (donor.percent > remaining) {
      kept[kept.length - 1] = { ...donor, percent: donor.percent - remaining };
      break;
    }
    remaining -= donor.percent;
    kept.pop();
  }
  const moved = { ...newest, percent: Math.min(percent, newest.percent + stepSize) };
  if (kept.length === 0) return { ...configuration, revisions: [moved], stepParams: {} };
  return {
    ...configuration,
    revisions: [...kept, moved],
    stepParams: { ...stepParams, nextStepTimeNs: nowNs + (stepParams.stepDurationNs ?? 0n) },
  };
}

/** A rollout of the given parts in their order: by tag, then by configuration. */
export function sortRollout(configurations: readonly ConfigurationRollout[]): Rollout {
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return {
    configurations: configurations
      .slice()
      .sort((a, b) => byText(a.tag, b.tag) || byText(a.configurationName, b.configurationName)),
  };
}
