import type { Clock } from '../../clock.ts';
import type { ProbeOutcome } from './prober.ts';
import type { ProbeSpec } from './runtime.ts';

export interface ProbeRunnerOptions {
  readonly spec: ProbeSpec;
  /** Without a period: probe as fast as sensible until the first success (Knative's readiness), else every 10 s as a kubelet. */
  readonly aggressive: boolean;
  readonly clock: Clock;
  readonly attempt: (signal: AbortSignal, timeoutMs: number) => Promise<ProbeOutcome>;
  /** The verdict after the thresholds; called for each probe whose verdict stands (`true` again and again, too). */
  readonly onVerdict: (ok: boolean, message: string) => void;
}

const defaultPeriodMs = 10_000;
const defaultTimeoutMs = 1_000;
const defaultFailureThreshold = 3;

/** Repeats one probe until disposed. */
export function runProbe(options: ProbeRunnerOptions): Disposable {
  const { spec, clock } = options;
  const periodMs = (spec.periodSeconds ?? 0) > 0 ? (spec.periodSeconds ?? 0) * 1_000 : defaultPeriodMs;
  const timeoutMs = (spec.timeoutSeconds ?? 0) > 0 ? (spec.timeoutSeconds ?? 0) * 1_000 : defaultTimeoutMs;
  const successThreshold = Math.max(1, spec.successThreshold ?? 1);
  const failureThreshold = Math.max(1, spec.failureThreshold ?? defaultFailureThreshold);
  const isAggressive = options.aggressive && (spec.periodSeconds ?? 0) === 0;
  const startedMs = clock.monotonic();
  let timer: Disposable | undefined;
  let attempt: AbortController | undefined;
  let successes = 0;
  let failures = 0;
  let everSucceeded = false;
  let disposed = false;

  const schedule = (delayMs: number): void => {
    timer = clock.setTimer(delayMs, begin);
  };

  function begin(): void {
    const controller = new AbortController();
    attempt = controller;
    const limit = clock.setTimer(timeoutMs, () => controller.abort(new Error(`timeout after ${timeoutMs / 1_000}s`)));
    const settled = (outcome: ProbeOutcome): void => {
      limit[Symbol.dispose]();
      if (!disposed) finish(outcome);
    };
    options
      .attempt(controller.signal, timeoutMs)
      .then(settled, (error: unknown) => settled({ ok: false, message: String(error) }));
  }

  function finish(outcome: ProbeOutcome): void {
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
    if (disposed) return;
    if (!isAggressive || everSucceeded) schedule(periodMs);
    else schedule(aggressiveDelayMs(!outcome.ok && outcome.refused === true, clock.monotonic() - startedMs));
  }

  schedule(Math.max(0, (spec.initialDelaySeconds ?? 0) * 1_000));
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
