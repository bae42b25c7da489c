/**
 * ISO 8601 periods as Knative's delivery specification reads them (the parser of `github.com/rickb777/date/period`). It keeps one
 * decimal place of each part and cuts the rest, so `PT0.25S` is 200 ms and `PT0.05S` nothing; months and years have their mean length.
 */
export interface Period {
  readonly milliseconds: number;
  /** The period as it is printed, `P0D` for none. */
  readonly canonical: string;
  /** False when days, months or years are part of it: their length in hours varies. */
  readonly precise: boolean;
  readonly isZero: boolean;
  readonly isNegative: boolean;
}

/** Years, months, days, hours, minutes and seconds in tenths, as whole numbers. */
type Tenths = [years: bigint, months: bigint, days: bigint, hours: bigint, minutes: bigint, seconds: bigint];

const dayPerMonthMillionths = 30_436_875n;
const int64Max = 2n ** 63n - 1n;

/** Parses a period; a string is the parser's error. */
export function parsePeriod(text: string): Period | string {
  if (text === '') return 'cannot parse a blank string as a period';
  let negative = text.startsWith('-');
  const unsigned = negative || text.startsWith('+') ? text.slice(1) : text;
  if (!unsigned.startsWith('P')) return `expected 'P' period mark at the start: ${text}`;
  const tenths = text === 'P0' ? ([0n, 0n, 0n, 0n, 0n, 0n] satisfies Tenths) : parseParts(unsigned.slice(1), text);
  if (typeof tenths === 'string') return tenths;
  if (!negative && tenths.some((part) => part < 0n)) {
    tenths.forEach((part, index) => (tenths[index] = part < 0n ? -part : part));
    negative = true;
  }
  rippleUp(tenths);
  moveFractionRight(tenths);
  return describePeriod(tenths.map((part) => Number(BigInt.asIntN(16, negative ? -part : part))));
}

function parseParts(body: string, text: string): Tenths | string {
  const time = body.indexOf('T');
  let rest = time < 0 ? '' : body.slice(time + 1);
  let marked = false;
  // A part is whatever stands before its mark, so a mark at the very start is left over.
  const take = (mark: string): bigint | undefined => {
    const at = rest.indexOf(mark);
    if (at <= 0) return 0n;
    const value = parseTenths(rest.slice(0, at));
    rest = rest.slice(at + 1);
    marked = true;
    return value;
  };
  const read = (marks: string): bigint[] | string => {
    const values: bigint[] = [];
    for (const mark of marks) {
      const value = take(mark);
      if (value === undefined) return `expected a number before the '${mark}' marker: ${text}`;
      values.push(value);
    }
    return rest === '' ? values : `unexpected remaining components ${rest}: ${text}`;
  };
  const clock = read('HMS');
  if (typeof clock === 'string') return clock;
  rest = time < 0 ? body : body.slice(0, time);
  const calendar = read('YMWD');
  if (typeof calendar === 'string') return calendar;
  if (!marked) return `expected 'Y', 'M', 'W', 'D', 'H', 'M', or 'S' marker: ${text}`;
  const [years = 0n, months = 0n, weeks = 0n, days = 0n] = calendar;
  const [hours = 0n, minutes = 0n, seconds = 0n] = clock;
  return [years, months, weeks * 7n + days, hours, minutes, seconds];
}

function parseTenths(text: string): bigint | undefined {
  const point = text.includes('.') ? text.indexOf('.') : text.indexOf(',');
  const digits = point < 0 ? `${text}0` : `${text.slice(0, point)}${text.slice(point + 1, point + 2) || '0'}`;
  if (!/^[+-]?\d+$/.test(digits)) return undefined;
  const value = BigInt(digits.replace('+', ''));
  return value > int64Max || value < -int64Max - 1n ? undefined : value;
}

// Whole minutes, hours, and what would not fit into 16 bits, move to the next larger part.
function rippleUp(p: Tenths): void {
  p[4] += (p[5] / 600n) * 10n;
  p[5] %= 600n;
  p[3] += (p[4] / 600n) * 10n;
  p[4] %= 600n;
  if (p[3] > 32_204n) {
    p[2] += (p[3] / 240n) * 10n;
    p[3] %= 240n;
  }
  if (p[2] > 32_760n) {
    const days = p[2] * 1_000_000n;
    p[1] += days / dayPerMonthMillionths;
    p[2] = (days % dayPerMonthMillionths) / 1_000_000n;
  }
  p[0] += (p[1] / 120n) * 10n;
  p[1] %= 120n;
}

// Only the smallest part may have a fraction.
function moveFractionRight(p: Tenths): void {
  const perPart = [12_000_000n, dayPerMonthMillionths, 24_000_000n, 60_000_000n, 60_000_000n];
  perPart.forEach((millionths, index) => {
    const part = p[index] ?? 0n;
    const fraction = part % 10n;
    if (fraction === 0n || p.slice(index + 1).every((smaller) => smaller === 0n)) return;
    p[index + 1] = (p[index + 1] ?? 0n) + (fraction * millionths) / 1_000_000n;
    p[index] = (part / 10n) * 10n;
  });
}

function describePeriod(parts: readonly number[]): Period {
  const [years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts;
  const dayMillionths = years * 365_242_500 + months * Number(dayPerMonthMillionths) + days * 1_000_000;
  const isNegative = parts.some((part) => part < 0);
  return {
    milliseconds: goDurationMs(
      BigInt(dayMillionths) * 8_640_000n + BigInt(hours * 360_000 + minutes * 6_000 + seconds * 100) * 1_000_000n,
    ),
    canonical: canonicalPeriod(parts, isNegative),
    precise: dayMillionths === 0,
    isZero: parts.every((part) => part === 0),
    isNegative,
  };
}

/** Milliseconds of a number of nanoseconds that Go keeps in 64 bits: beyond 292 years it starts again at the other end. */
export function goDurationMs(nanoseconds: bigint): number {
  return Number(BigInt.asIntN(64, nanoseconds)) / 1_000_000;
}

function canonicalPeriod(parts: readonly number[], isNegative: boolean): string {
  const marks = 'YMDHMS';
  let text = isNegative ? '-P' : 'P';
  parts.forEach((part, index) => {
    if (index === 3 && parts.slice(3).some((clock) => clock !== 0)) text += 'T';
    if (part === 0) return;
    const weeks = index === 2 && part % 70 === 0;
    text += `${Math.abs(weeks ? part / 7 : part) / 10}${weeks ? 'W' : (marks[index] ?? '')}`;
  });
  return parts.every((part) => part === 0) ? 'P0D' : text;
}
