import { parseGoDuration } from '../../duration.ts';

/**
 * A cron schedule of five or six fields (seconds first), each as the list of values that match; the rules and error texts of robfig/cron v3
 * with the options of PingSource.
 */
export interface CronSchedule {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: readonly number[];
  readonly months: readonly number[];
  readonly daysOfWeek: readonly number[];
  /** The field was `*` or `?`: then the day is decided by the other field alone. */
  readonly anyDayOfMonth: boolean;
  readonly anyDayOfWeek: boolean;
  /** Name of the zone that `CRON_TZ=` or `TZ=` gives. */
  readonly timezone: string | undefined;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const fieldBounds: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: monthNames },
  { min: 0, max: 6, names: dayNames },
];
const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@midnight': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
};
const scheduleLengthMax = 4_096;

/** Parses a schedule; a string is the parser's error. A schedule of the form `@every 5m` is refused, as PingSource refuses it. */
export function parseCronSchedule(schedule: string): CronSchedule | string {
  if (schedule === '') return 'empty spec string';
  if (schedule.length > scheduleLengthMax) return `schedule is longer than ${scheduleLengthMax} characters`;
  let rest = schedule;
  let timezone: string | undefined;
  if (schedule.startsWith('TZ=') || schedule.startsWith('CRON_TZ=')) {
    const space = schedule.indexOf(' ');
    timezone = schedule.slice(schedule.indexOf('=') + 1, space < 0 ? undefined : space);
    const problem = zoneProblem(timezone);
    if (problem !== undefined) return `provided bad location ${timezone}: ${problem}`;
    rest = space < 0 ? '' : schedule.slice(space).trim();
  }
  if (rest.startsWith('@every ')) return everyProblem(rest);
  if (rest.startsWith('@')) {
    const named = descriptors[rest];
    if (named === undefined) return `unrecognized descriptor: ${rest}`;
    rest = named;
  }
  const fields = rest.split(/\s+/).filter((field) => field !== '');
  if (fields.length < 5 || fields.length > 6) return `expected 5 to 6 fields, found ${fields.length}: [${fields.join(' ')}]`;
  if (fields.length === 5) fields.unshift('0');
  return parseFields(fields, timezone);
}

/** What a schedule of the form `@every DURATION` gives: upstream's parser knows it, PingSource does not. */
export const everyUnsupported = 'unsupported descriptor @every';

function everyProblem(descriptor: string): string {
  const duration = descriptor.slice('@every '.length);
  if (parseGoDuration(duration) !== undefined) return everyUnsupported;
  return `failed to parse duration ${descriptor}: time: invalid duration ${JSON.stringify(duration)}`;
}

function parseFields(fields: readonly string[], timezone: string | undefined): CronSchedule | string {
  const parsed: Field[] = [];
  for (const [index, bounds] of fieldBounds.entries()) {
    const field = parseField(fields[index] ?? '', bounds);
    if (typeof field === 'string') return field;
    parsed.push(field);
  }
  const values = (index: number): readonly number[] => [...(parsed[index]?.values ?? [])].sort((a, b) => a - b);
  return {
    seconds: values(0),
    minutes: values(1),
    hours: values(2),
    daysOfMonth: values(3),
    months: values(4),
    daysOfWeek: values(5),
    anyDayOfMonth: parsed[3]?.isAny ?? false,
    anyDayOfWeek: parsed[5]?.isAny ?? false,
    timezone,
  };
}

interface Field {
  readonly values: ReadonlySet<number>;
  readonly isAny: boolean;
}

function parseField(text: string, bounds: Bounds): Field | string {
  const values = new Set<number>();
  let isAny = false;
  for (const expression of text.split(',')) {
    if (expression === '') continue;
    const range = parseRange(expression, bounds);
    if (typeof range === 'string') return range;
    for (let value = range.start; value <= range.end; value += range.step) values.add(value);
    isAny ||= range.isAny;
  }
  return { values, isAny };
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly isAny: boolean;
}

function parseRange(text: string, bounds: Bounds): Range | string {
  const [limits = '', stepText, ...moreSteps] = text.split('/');
  const [low = '', high, ...moreHyphens] = limits.split('-');
  const isStar = low === '*' || low === '?';
  let start = bounds.min;
  let end = bounds.max;
  if (!isStar) {
    const first = parseNumber(low, bounds.names, bounds.min);
    if (typeof first === 'string') return first;
    const last = high === undefined ? first : parseNumber(high, bounds.names, bounds.min);
    if (moreHyphens.length > 0) return `too many hyphens: ${text}`;
    if (typeof last === 'string') return last;
    start = first;
    end = last;
  }
  let step = 1;
  if (moreSteps.length > 0) return `too many slashes: ${text}`;
  if (stepText !== undefined) {
    const given = parseNumber(stepText, undefined, 0);
    if (typeof given === 'string') return given;
    step = given;
    if (high === undefined) end = bounds.max;
  }
  return rangeProblem(start, end, step, bounds, text) ?? { start, end, step, isAny: isStar && step <= 1 };
}

function rangeProblem(start: number, end: number, step: number, bounds: Bounds, text: string): string | undefined {
  if (start < bounds.min) return `beginning of range (${start}) below minimum (${bounds.min}): ${text}`;
  if (end > bounds.max) return `end of range (${end}) above maximum (${bounds.max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return step === 0 ? `step of range should be a positive number: ${text}` : undefined;
}

function parseNumber(text: string, names: readonly string[] | undefined, firstName: number): number | string {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + firstName;
  const fail = (reason: string): string =>
    `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: ${reason}`;
  if (!/^[+-]?\d+$/.test(text)) return fail('invalid syntax');
  if (Math.abs(Number(text)) >= 2 ** 63) return fail('value out of range');
  return Number(text) < 0 ? `negative number (${Number(text)}) not allowed: ${text}` : Number(text);
}

/** Why a text names no time zone, in Go's words; names are exact in upper and lower case, `''` and `UTC` and `Local` are zones. */
function zoneProblem(name: string): string | undefined {
  if (name === '' || name === 'UTC' || name === 'Local') return undefined;
  // Go takes a name for a path below its zone files, and refuses to leave that folder.
  if (name.includes('..') || /^[/\\]/.test(name)) return 'time: invalid location name';
  const unknown = `unknown time zone ${name}`;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
  } catch {
    return unknown;
  }
  // Offsets such as +01:00 are zones to JavaScript only, and JavaScript does not mind case.
  if (!/^[A-Za-z]/.test(name)) return unknown;
  const known = Intl.supportedValuesOf('timeZone');
  if (known.includes(name)) return undefined;
  const lower = name.toLowerCase();
  if (known.some((zone) => zone.toLowerCase() === lower)) return unknown;
  return name === lower ? unknown : undefined;
}
