const pattern = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** What Go prints for a time that is not set; the `time` attribute of an event without one has this text in filters. */
export const unsetTime = '0001-01-01T00:00:00Z';

/**
 * The text that filters compare for a `time` attribute: RFC 3339 with trailing zeros of the fraction cut and at most nine digits, in
 * the offset it was given in. Text that is no time stays as it is.
 */
export function filterTime(time: string | undefined): string {
  if (time === undefined) return unsetTime;
  const last = time.charCodeAt(time.length - 1);
  // Most times end in a second and a Z, which is the canonical form already.
  if (time.length === 20 && last === 90 && time.charCodeAt(10) === 84) return time;
  const match = pattern.exec(time);
  if (match === null) return time;
  const offset =
    match[8] === undefined || (match[9] === '00' && match[10] === '00') ? 'Z' : `${match[8]}${match[9]}:${match[10]}`;
  return `${time.slice(0, 10)}T${time.slice(11, 19)}${fraction(match[7])}${offset}`;
}

/** The same instant in UTC, in the form that `filterTime` gives: what a time becomes when it travels in binary mode between Knative's parts. */
export function wireTime(time: string): string {
  if (time.length === 20 && time.charCodeAt(19) === 90 && time.charCodeAt(10) === 84) return time;
  const match = pattern.exec(time);
  if (match === null) return time;
  const offsetMinutes = match[8] === undefined ? 0 : (match[8] === '-' ? -1 : 1) * (Number(match[9]) * 60 + Number(match[10]));
  if (offsetMinutes === 0) return `${time.slice(0, 10)}T${time.slice(11, 19)}${fraction(match[7])}Z`;
  const seconds = Date.parse(`${time.slice(0, 10)}T${time.slice(11, 19)}Z`);
  if (Number.isNaN(seconds)) return time;
  return `${new Date(seconds - offsetMinutes * 60_000).toISOString().slice(0, 19)}${fraction(match[7])}Z`;
}

function fraction(digits: string | undefined): string {
  const kept = digits?.slice(0, 9).replace(/0+$/, '') ?? '';
  return kept === '' ? '' : `.${kept}`;
}
