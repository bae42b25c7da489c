import type { Clock } from '../clock.ts';
import { KnativeError } from '../errors.ts';
import type { BrokerStatus, RedriveRequest, ReplayReport, ReplayRequest } from './broker-types.ts';
import type { Filter } from './filters/compile-filter.ts';
import { wireForm } from './filters/wire-form.ts';
import type { EventLog, LogTrigger } from './log.ts';
import type { TriggerDispatcher } from './trigger-dispatcher.ts';

/** How a broker stands: its log, and the lag of each trigger. */
export async function statusOf(
  log: EventLog,
  triggers: readonly { readonly log: LogTrigger; readonly dispatcher: TriggerDispatcher }[],
  clock: Clock,
): Promise<BrokerStatus> {
  const { kind, guarantee } = log;
  return {
    log: { ...(await log.stats()), kind, guarantee },
    triggers: await Promise.all(
      triggers.map(async ({ log: { name, ...rest }, log: share, dispatcher: { paused, active } }) => {
        void rest;
        const stats = await share.stats();
        const lagMs = stats.oldestMs === undefined ? 0 : Math.max(0, clock.now() - stats.oldestMs);
        return { trigger: name, paused, active, lagMs, ...stats };
      }),
    ),
  };
}

/** Appends parked events again for the trigger that could not take them, then drops them: a crash between the two repeats one. */
export async function redriveParked(
  log: EventLog,
  { trigger, ids }: RedriveRequest,
  triggerOf: (name: string) => LogTrigger,
): Promise<number> {
  const wanted = ids === undefined ? undefined : new Set(ids);
  let redriven = 0;
  for await (const parked of log.parked(trigger)) {
    if (wanted !== undefined && !wanted.has(parked.id)) continue;
    await log.append(parked.event, [triggerOf(parked.trigger)], parked.rawHeaders);
    if (await log.unpark(parked.id)) redriven++;
  }
  return redriven;
}

/** Appends stored events again for one trigger. What the replay itself appends is not read again: a read ends with the newest at its start. */
export async function replayStored(
  log: EventLog,
  request: ReplayRequest,
  filter: Filter,
  target: LogTrigger,
): Promise<ReplayReport> {
  if (log.read === undefined) {
    throw new KnativeError('EVENTING_NO_REPLAY', `a ${log.kind} log keeps no events to replay`, {
      hint: 'use a log with the capability replay, such as the file log',
    });
  }
  let read = 0;
  let matched = 0;
  let firstPosition: number | undefined;
  let lastPosition: number | undefined;
  for await (const { event, position, rawHeaders } of log.read(request)) {
    read++;
    firstPosition ??= position;
    lastPosition = position;
    if (!filter.matches(wireForm(event))) continue;
    matched++;
    if (request.dryRun !== true) await log.append(event, [target], rawHeaders);
  }
  return { read, matched, firstPosition, lastPosition };
}
