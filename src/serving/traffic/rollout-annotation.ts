import { rolloutValid, type ConfigurationRollout, type RevisionRollout, type Rollout, type RolloutParams } from './rollout.ts';

/** The text of a rollout in the annotation `networking.internal.knative.dev/rollout`: compact JSON, empty fields left out. */
export function serializeRollout(rollout: Rollout): string {
  if (rollout.configurations.length === 0) return '{}';
  return `{"configurations":[${rollout.configurations.map(serializeConfiguration).join(',')}]}`;
}

function serializeConfiguration({ configurationName, tag, percent, revisions, stepParams }: ConfigurationRollout): string {
  let text = `{"configurationName":${quote(configurationName)}`;
  if (tag !== '') text += `,"tag":${quote(tag)}`;
  text += `,"percent":${percent}`;
  if (revisions.length > 0) {
    const parts = revisions.map((revision) => `{"revisionName":${quote(revision.revisionName)},"percent":${revision.percent}}`);
    text += `,"revisions":[${parts.join(',')}]`;
  }
  const params: string[] = [];
  if (stepParams.startTimeNs) params.push(`"starttime":${stepParams.startTimeNs}`);
  if (stepParams.nextStepTimeNs) params.push(`"nextStepTime":${stepParams.nextStepTimeNs}`);
  if (stepParams.stepDurationNs) params.push(`"stepDuration":${stepParams.stepDurationNs}`);
  if (stepParams.stepSize) params.push(`"stepSize":${stepParams.stepSize}`);
  return `${text},"stepParams":{${params.join(',')}}}`;
}

/** Names are plain as a rule; only others need JSON's escapes. */
function quote(name: string): string {
  return /^[\w.-]*$/.test(name) ? `"${name}"` : JSON.stringify(name);
}

/** The rollout of an annotation's text; `undefined` when there is none, it cannot be read, or it is impossible. */
export function parseRollout(text: string | undefined): Rollout | undefined {
  if (text === undefined || text === '') return undefined;
  let value: unknown;
  try {
    value = parseExact(text);
  } catch {
    return undefined;
  }
  const rollout = readRollout(value);
  return rollout !== undefined && rolloutValid(rollout) ? rollout : undefined;
}

/** JSON with integers beyond 2^53 as bigint: nanoseconds since the epoch need 61 bits. */
export function parseExact(text: string): unknown {
  const revive = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && context?.source !== undefined && /^-?\d+$/.test(context.source)
      ? BigInt(context.source)
      : value;
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

/** The rollout in a parsed JSON value; missing fields count as empty, wrong types make it `undefined`. */
export function readRollout(value: unknown): Rollout | undefined {
  if (!isRecord(value)) return undefined;
  const list = value['configurations'] ?? [];
  if (!Array.isArray(list)) return undefined;
  const configurations: ConfigurationRollout[] = [];
  for (const item of list as unknown[]) {
    const configuration = readConfiguration(item);
    if (configuration === undefined) return undefined;
    configurations.push(configuration);
  }
  return { configurations };
}

function readConfiguration(value: unknown): ConfigurationRollout | undefined {
  if (!isRecord(value)) return undefined;
  const { configurationName = '', tag = '', percent = 0, revisions = [], stepParams = {} } = value;
  if (typeof configurationName !== 'string' || typeof tag !== 'string' || typeof percent !== 'number') return undefined;
  if (!Array.isArray(revisions) || !isRecord(stepParams)) return undefined;
  const parts: RevisionRollout[] = [];
  for (const item of revisions as unknown[]) {
    if (!isRecord(item)) return undefined;
    const { revisionName = '', percent: share = 0 } = item;
    if (typeof revisionName !== 'string' || typeof share !== 'number') return undefined;
    parts.push({ revisionName, percent: share });
  }
  return { configurationName, tag, percent, revisions: parts, stepParams: readParams(stepParams) };
}

function readParams(value: Record<string, unknown>): RolloutParams {
  const { starttime, nextStepTime, stepDuration, stepSize } = value;
  return {
    ...(isInteger(starttime) && { startTimeNs: BigInt(starttime) }),
    ...(isInteger(nextStepTime) && { nextStepTimeNs: BigInt(nextStepTime) }),
    ...(isInteger(stepDuration) && { stepDurationNs: BigInt(stepDuration) }),
    ...(typeof stepSize === 'number' && { stepSize }),
  };
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
