import { KnativeError } from './errors.ts';

/** A duration at the API's edge: milliseconds, a Go duration (`'1m30s'`, `'200ms'`) or ISO 8601 (`'PT0.2S'`). */
export type Duration = number | string;

const goUnitsMs: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const lengthMax = 64;

/**
 * Milliseconds of a Go duration string (`time.ParseDuration`): a sign and one or more decimal numbers with a unit out of
 * ns, us, ms, s, m, h; `'0'` needs none. `undefined` when it is not one.
 */
export function parseGoDuration(text: string): number | undefined {
  if (text === '' || text.length > lengthMax) return undefined;
  const negative = text.startsWith('-');
  let rest = negative || text.startsWith('+') ? text.slice(1) : text;
  if (rest === '0') return 0;
  if (rest === '') return undefined;
  let totalMs = 0;
  const part = /^(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/;
  while (rest !== '') {
    const match = part.exec(rest);
    const unit = match?.[2] === undefined ? undefined : goUnitsMs[match[2]];
    if (match?.[1] === undefined || unit === undefined) return undefined;
    totalMs += Number(match[1]) * unit;
    rest = rest.slice(match[0].length);
  }
  return negative ? -totalMs : totalMs;
}

const isoPattern =
  /^(-)?P(?:(\d+(?:[.,]\d+)?)W)?(?:(\d+(?:[.,]\d+)?)D)?(?:T(?:(\d+(?:[.,]\d+)?)H)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)S)?)?$/;

/** Milliseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds (`'PT1M30S'`); `undefined` when it is not one. */
export function parseIsoDuration(text: string): number | undefined {
  if (text.length > lengthMax) return undefined;
  const match = isoPattern.exec(text);
  if (match === null || !/\d[WDHMS]/.test(text) || text.endsWith('T')) return undefined;
  const unitsMs = [604_800_000, 86_400_000, 3_600_000, 60_000, 1_000];
  let totalMs = 0;
  unitsMs.forEach((unitMs, index) => {
    totalMs += Number((match[index + 2] ?? '0').replace(',', '.')) * unitMs;
  });
  return match[1] === undefined ? totalMs : -totalMs;
}

/**
 * Milliseconds of a duration option. Throws `KERNEL_INVALID_DURATION`, naming the option, for anything that is not a finite
 * number of milliseconds, a Go or an ISO 8601 duration.
 */
export function durationMs(value: Duration, option: string): number {
  const ms = typeof value === 'number' ? value : (parseGoDuration(value) ?? parseIsoDuration(value));
  if (ms === undefined || !Number.isFinite(ms)) {
    throw new KnativeError('KERNEL_INVALID_DURATION', `${option}: ${JSON.stringify(value)} is not a duration`, {
      path: option,
      hint: "give milliseconds, or text such as '30s', '1m30s' or 'PT30S'",
    });
  }
  return ms;
}

/** A duration as Go prints it (`time.Duration.String`): `1m30s`, `200ms`, `0s`. Input in milliseconds, exact to the nanosecond. */
export function formatGoDuration(ms: number): string {
  if (ms === 0) return '0s';
  const negative = ms < 0;
  let ns = Math.round(Math.abs(ms) * 1e6);
  const fraction = (value: number, digits: number): string => {
    const text = (value / 10 ** digits).toFixed(digits);
    return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  };
  let text: string;
  if (ns < 1_000) text = `${ns}ns`;
  else if (ns < 1_000_000) text = `${fraction(ns, 3)}µs`;
  else if (ns < 1_000_000_000) text = `${fraction(ns, 6)}ms`;
  else {
    const hours = Math.floor(ns / 3.6e12);
    ns -= hours * 3.6e12;
    const minutes = Math.floor(ns / 6e10);
    ns -= minutes * 6e10;
    text = `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${fraction(ns, 9)}s`;
  }
  return negative ? `-${text}` : text;
}
