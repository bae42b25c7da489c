import type { Clock } from '../../clock.ts';
import type { ProbeOutcome } from './prober.ts';
import type { ProbeSpec } from './runtime.ts';

export interface ProbeRunnerOptions {
  readonly spec: ProbeSpec;
  /**
   * `readiness`: asked as Knative's queue-proxy does. Without a period as fast as sensible until the first success, then every 10 s.
   * `liveness` and `startup`: asked as a kubelet does, at ticks of the period that are counted from the start of the container.
   */
  readonly kind: ProbeKind;
  readonly clock: Clock;
  /** When the container started, as the clock's `monotonic` has it: initial delay and ticks count from there. */
  readonly startedMs: number;
  readonly attempt: (signal: AbortSignal, timeoutMs: number) => Promise<ProbeOutcome>;
  /** The verdict after the thresholds; called for each probe whose verdict stands (`true` again and again, too). */
  readonly onVerdict: (ok: boolean, message: string) => void;
}

export type ProbeKind = 'readiness' | 'liveness' | 'startup';

const defaultPeriodMs = 10_000;
const defaultTimeoutMs = 1_000;
const defaultFailureThreshold = 3;

/** Repeats one probe until disposed. Source of the ticks: kubernetes/kubernetes, pkg/kubelet/prober/worker.go. */
export function runProbe(options: ProbeRunnerOptions): Disposable {
  const { spec, kind, clock, startedMs } = options;
  const periodMs = (spec.periodSeconds ?? 0) > 0 ? (spec.periodSeconds ?? 0) * 1_000 : defaultPeriodMs;
  const timeoutMs = (spec.timeoutSeconds ?? 0) > 0 ? (spec.timeoutSeconds ?? 0) * 1_000 : defaultTimeoutMs;
  const successThreshold = kind === 'readiness' ? Math.max(1, spec.successThreshold ?? 1) : 1;
  const failureThreshold = Math.max(1, spec.failureThreshold ?? defaultFailureThreshold);
  const isAggressive = kind === 'readiness' && (spec.periodSeconds ?? 0) === 0;
  const beganMs = clock.monotonic();
  const delayedMs = startedMs + Math.max(0, (spec.initialDelaySeconds ?? 0) * 1_000);
  let dueMs = kind === 'readiness' ? Math.max(beganMs, delayedMs) : firstTick();
  let timer: Disposable | undefined;
  let attempt: AbortController | undefined;
  let successes = 0;
  let failures = 0;
  let everSucceeded = false;
  let disposed = false;

  /** The first tick that neither the initial delay nor the time already gone leaves out; the one at the start itself does not count. */
  function firstTick(): number {
    return startedMs + periodMs * Math.max(1, Math.ceil((Math.max(beganMs, delayedMs) - startedMs) / periodMs));
  }

  const schedule = (atMs: number, counts = true): void => {
    timer = clock.setTimer(Math.max(0, atMs - clock.monotonic()), () => begin(counts));
  };

  function begin(counts: boolean): void {
    const controller = new AbortController();
    attempt = controller;
    const limit = clock.setTimer(timeoutMs, () => controller.abort(new Error(`timeout after ${timeoutMs / 1_000}s`)));
    const settled = (outcome: ProbeOutcome): void => {
      limit[Symbol.dispose]();
      if (disposed) return;
      if (counts || outcome.ok) judge(outcome);
      if (!disposed) scheduleNext(outcome, counts);
    };
    options
      .attempt(controller.signal, timeoutMs)
      .then(settled, (error: unknown) => settled({ ok: false, message: String(error) }));
  }

  function judge(outcome: ProbeOutcome): void {
    if (outcome.ok) {
      failures = 0;
      successes++;
      if (successes >= successThreshold) {
        everSucceeded = true;
        options.onVerdict(true, '');
      }
    } else {
      successes = 0;
      failures++;
      if (failures >= failureThreshold || (isAggressive && !everSucceeded)) options.onVerdict(false, outcome.message);
    }
  }

  function scheduleNext(outcome: ProbeOutcome, counted: boolean): void {
    const nowMs = clock.monotonic();
    if (isAggressive) {
      const quickly = aggressiveDelayMs(!outcome.ok && outcome.refused === true, nowMs - beganMs);
      schedule(nowMs + (everSucceeded ? periodMs : quickly));
      return;
    }
    if (counted) dueMs += periodMs;
    // Of the ticks that a slow try has missed, the last one is made up for.
    dueMs += periodMs * Math.max(0, Math.floor((nowMs - dueMs) / periodMs));
    schedule(dueMs);
  }

  // A try before the first tick, so that a quick start is noticed at once; its failure leaves failureThreshold × periodSeconds as they are.
  const early = Math.max(beganMs, delayedMs);
  if (kind === 'startup' && early < dueMs) schedule(early, false);
  else schedule(dueMs);
  return {
    [Symbol.dispose]() {
      disposed = true;
      timer?.[Symbol.dispose]();
      attempt?.abort(new Error('probing has ended'));
    },
  };
}

/** A refused connection costs microseconds and nobody sees it, so that a start is noticed at once; requests come as upstream's, every 50 ms. */
function aggressiveDelayMs(refused: boolean, elapsedMs: number): number {
  if (!refused || elapsedMs > 3_000) return 50;
  return elapsedMs < 300 ? 2 : 10;
}
