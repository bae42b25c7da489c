import type { Clock } from '../clock.ts';
import { noopMeter, type Meter } from '../telemetry/meter.ts';
import type { Call } from './call.ts';

/** Counts calls, by OpenTelemetry's names for functions. */
export interface CallMetrics {
  record(call: Call, failed: boolean): void;
}

const httpTrigger = { 'faas.trigger': 'http' };
const eventTrigger = { 'faas.trigger': 'pubsub' };

/** `undefined` without a meter, so that calls need not even read the clock. */
export function createCallMetrics(meter: Meter | undefined, clock: Clock): CallMetrics | undefined {
  if (meter === undefined || meter === noopMeter) return undefined;
  const invocations = meter.counter('faas.invocations', { description: 'Calls of the function', unit: '{invocation}' });
  const errors = meter.counter('faas.errors', { description: 'Calls that failed', unit: '{error}' });
  const duration = meter.histogram('faas.invoke_duration', { description: 'Time from the request to the answer', unit: 's' });
  return {
    record(call, failed) {
      const trigger = call.repliesToEvent ? eventTrigger : httpTrigger;
      invocations.add(1, trigger);
      if (failed) errors.add(1, trigger);
      duration.record((clock.monotonic() - call.startedMs) / 1_000, trigger);
    },
  };
}
