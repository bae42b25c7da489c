/** Names and values in turn, as node:http, undici and the package's `Exchange` carry them. */
export type RawHeaders = readonly string[];

const hopByHop = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** True for headers that belong to one connection and are never forwarded (RFC 9110, 7.6.1). `lowerName` must be in lower case. */
export function isHopByHop(lowerName: string): boolean {
  return hopByHop.has(lowerName);
}

/** Compares a header name with a lower-case one without making a string unless the lengths agree. */
export function nameIs(name: string, lowerName: string): boolean {
  return name.length === lowerName.length && (name === lowerName || name.toLowerCase() === lowerName);
}

/** Value of a header by lower-case name, several joined with ', '; `undefined` when absent. */
export function headerValue(rawHeaders: RawHeaders, lowerName: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name === undefined || !nameIs(name, lowerName)) continue;
    const next = rawHeaders[i + 1] ?? '';
    value = value === undefined ? next : `${value}, ${next}`;
  }
  return value;
}

/** A copy without the headers of these lower-case names. */
export function withoutHeaders(rawHeaders: RawHeaders, lowerNames: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!lowerNames.has(name.toLowerCase())) kept.push(name, rawHeaders[i + 1] ?? '');
  }
  return kept;
}

/** Flat names and values from a record or from pairs; an array value gives one header each. */
export function rawHeadersFrom(
  headers: Readonly<Record<string, string | readonly string[]>> | Iterable<readonly [string, string]>,
): string[] {
  const raw: string[] = [];
  if (Symbol.iterator in headers) {
    for (const [name, value] of headers as Iterable<readonly [string, string]>) raw.push(name, value);
    return raw;
  }
  for (const [name, value] of Object.entries(headers)) {
    for (const item of typeof value === 'string' ? [value] : value) raw.push(name, item);
  }
  return raw;
}

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// Anything but control characters (horizontal tab is fine) and code points that one byte cannot carry.
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;

/** True when the name is a token of RFC 9110 and the value can be written on one header line. */
export function isValidHeader(name: string, value: string): boolean {
  return tokenPattern.test(name) && valuePattern.test(value);
}
