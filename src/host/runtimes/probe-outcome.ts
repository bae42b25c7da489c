import { messageOf } from '../../errors.ts';
import type { ProbeOutcome } from './prober.ts';

export function statusOutcome(status: number): ProbeOutcome {
  return isHealthyStatus(status) ? { ok: true } : { ok: false, message: `HTTP probe failed with statuscode: ${status}` };
}

/** True for the answers that a kubelet counts as success. */
function isHealthyStatus(status: number): boolean {
  return status >= 200 && status < 400;
}

export function failure(error: unknown): ProbeOutcome {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return { ok: false, message: messageOf(error), ...(code === 'ECONNREFUSED' ? { refused: true } : {}) };
}

/** One answer or the signal, whichever comes first; then what was opened is closed. */
export function settle(
  signal: AbortSignal,
  begin: (resolve: (outcome: ProbeOutcome) => void) => () => void,
): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const onAbort = (): void => done({ ok: false, message: messageOf(signal.reason) });
    const done = (outcome: ProbeOutcome): void => {
      signal.removeEventListener('abort', onAbort);
      close();
      resolve(outcome);
    };
    const close = begin(done);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
