import { decodeEscapes, encodeBytes, isIpv6Address } from './go-url-text.ts';

/** The parts of a URL reference as Go's `net/url` tells them apart. */
export interface GoUrl {
  /** In lower case, `''` for a relative reference. */
  readonly scheme: string;
  /** What follows the scheme of a URL without slash, such as `mailto:`. */
  readonly opaque: string;
  /** User information as it is printed, `undefined` without `@`. */
  readonly user: string | undefined;
  /** Host and port as they are printed. */
  readonly host: string;
  /** True for a scheme with an absolute path but no `//`. */
  readonly omitsHost: boolean;
  /** As written. */
  readonly path: string;
  /** As written, `''` for a lone question mark. */
  readonly query: string | undefined;
  /** As written. */
  readonly fragment: string;
}

/** Parses a URL reference by the rules of Go's `net/url.Parse`; a string is the text of its error. */
export function parseGoUrl(text: string): GoUrl | string {
  const parsed = parseParts(text);
  return typeof parsed === 'string' ? `parse ${JSON.stringify(text)}: ${parsed}` : parsed;
}

const nothing = { opaque: '', user: undefined, host: '', omitsHost: false, path: '' };

function parseParts(text: string): GoUrl | string {
  const [whole, fragment] = cut(text, '#');
  if (/[\u0000-\u001f\u007f]/.test(whole)) return 'net/url: invalid control character in URL';
  if (whole.startsWith(':')) return 'missing protocol scheme';
  const schemeLength = (/^[A-Za-z][A-Za-z0-9+.-]*:/.exec(whole)?.[0] ?? '').length;
  const scheme = whole.slice(0, Math.max(0, schemeLength - 1)).toLowerCase();
  const [beforeQuery, query] = cut(whole.slice(schemeLength), '?');
  const url = { ...nothing, scheme, query, fragment: fragment ?? '' };
  const problem = escapeProblem(url.fragment);
  if (problem !== undefined) return problem;
  if (!beforeQuery.startsWith('/')) {
    if (scheme !== '') return { ...url, opaque: beforeQuery };
    if ((beforeQuery.split('/', 1)[0] ?? '').includes(':')) return 'first path segment in URL cannot contain colon';
  }
  const hasAuthority = beforeQuery.startsWith('//') && (scheme !== '' || !beforeQuery.startsWith('///'));
  if (!hasAuthority) return escapeProblem(beforeQuery) ?? { ...url, omitsHost: scheme !== '', path: beforeQuery };
  const slash = beforeQuery.indexOf('/', 2);
  const path = slash < 0 ? '' : beforeQuery.slice(slash);
  const authority = parseAuthority(beforeQuery.slice(2, slash < 0 ? undefined : slash));
  return typeof authority === 'string' ? authority : (escapeProblem(path) ?? { ...url, ...authority, path });
}

function cut(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}

function escapeProblem(text: string): string | undefined {
  const bad = /%(?![0-9A-Fa-f]{2}).{0,2}/su.exec(text);
  return bad === null ? undefined : `invalid URL escape ${JSON.stringify(bad[0])}`;
}

function parseAuthority(authority: string): Pick<GoUrl, 'user' | 'host'> | string {
  const at = authority.lastIndexOf('@');
  const host = parseHost(authority.slice(at + 1));
  if (typeof host === 'string') return host;
  if (at < 0) return { user: undefined, host: host.text };
  const user = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) return 'net/url: invalid userinfo';
  const problem = escapeProblem(user);
  if (problem !== undefined) return problem;
  const [name, password] = cut(user, ':').map((part) => part && printed(part, /[A-Za-z0-9\-_.~$&+,;=]/));
  return { user: password === undefined ? (name ?? '') : `${name ?? ''}:${password}`, host: host.text };
}

const hostCharacters = /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/;

function parseHost(host: string): { readonly text: string } | string {
  const bracket = host.lastIndexOf('[');
  if (bracket > 0) return 'invalid IP-literal';
  if (bracket === 0) return parseIpLiteral(host);
  const colon = host.lastIndexOf(':');
  const port = colon < 0 ? '' : host.slice(colon);
  return portProblem(port) ?? hostProblem(host) ?? { text: printed(host, hostCharacters) };
}

function parseIpLiteral(host: string): { readonly text: string } | string {
  const end = host.lastIndexOf(']');
  if (end < 0) return "missing ']' in host";
  const problem = portProblem(host.slice(end + 1));
  if (problem !== undefined) return problem;
  const [address, zone] = cut(host.slice(1, end), '%25');
  if (!isIpv6Address(address) || zone === '') return 'invalid host: ParseAddr: unable to parse IP';
  const zoneProblem = zone === undefined ? undefined : (escapeProblem(zone) ?? hostProblem(zone.replace(/%20/g, '')));
  return zoneProblem ?? { text: printed(host, hostCharacters) };
}

function portProblem(port: string): string | undefined {
  return /^(?::\d*)?$/.test(port) ? undefined : `invalid port ${JSON.stringify(port)} after host`;
}

// In a host only bytes outside ASCII may be escaped, and the percent sign.
function hostProblem(host: string): string | undefined {
  const escape = escapeProblem(host) ?? /%(?!25)[0-7]./.exec(host)?.[0];
  if (escape !== undefined) return escape.startsWith('invalid') ? escape : `invalid URL escape ${JSON.stringify(escape)}`;
  for (const char of host) {
    if (char < '\u0080' && char !== '%' && !hostCharacters.test(char))
      return `invalid character ${JSON.stringify(char)} in host name`;
  }
  return undefined;
}

/** Host and port, without user information; '' when there is none. */
export function hostOf(url: GoUrl): string {
  return url.host;
}

/** The URL as Go prints it: what a part may not hold is escaped, a part with nothing but allowed characters is kept. */
export function formatGoUrl(url: GoUrl): string {
  const { scheme, opaque, user, host, query } = url;
  const start = scheme === '' ? '' : `${scheme}:`;
  const rest = opaque === '' ? hierarchical(url, start === '' && host === '' && user === undefined) : opaque;
  return start + rest + (query === undefined ? '' : `?${query}`) + printedFragment(url.fragment);
}

function hierarchical({ user, host, omitsHost, path }: GoUrl, isRelative: boolean): string {
  const text = printedPath(path);
  if (isRelative) return ((text.split('/', 1)[0] ?? '').includes(':') ? './' : '') + text;
  const slashes = host !== '' || user !== undefined || (path !== '' && !omitsHost) ? '//' : '';
  return `${slashes}${user === undefined ? '' : `${user}@`}${host}${text}`;
}

function printedPath(path: string): string {
  return printedAs(path, /^[A-Za-z0-9\-_.~!$&'()*+,;=:@/[\]%]*$/, /[A-Za-z0-9\-_.~$&+,/:;=@]/);
}

function printedFragment(fragment: string): string {
  if (fragment === '') return '';
  return `#${printedAs(fragment, /^[A-Za-z0-9\-_.~!$&'()*+,;=:@/?[\]%]*$/, /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/)}`;
}

const printedAs = (text: string, valid: RegExp, kept: RegExp): string => (valid.test(text) ? text : printed(text, kept));

const printed = (text: string, kept: RegExp): string => encodeBytes(decodeEscapes(text), kept);

/** Resolves a reference against a URL (RFC 3986 section 5.2.2, as Go's `ResolveReference`). */
export function resolveGoUrl(base: GoUrl, reference: GoUrl): GoUrl {
  const url = reference.scheme === '' ? { ...reference, scheme: base.scheme } : reference;
  if (reference.scheme !== '' || reference.host !== '' || reference.user !== undefined) {
    return { ...url, path: removeDots(printedPath(reference.path)) };
  }
  const keepsQuery = reference.path === '' && reference.query === undefined;
  const query = keepsQuery ? base.query : reference.query;
  const fragment = keepsQuery && reference.fragment === '' ? base.fragment : reference.fragment;
  if (reference.path === '' && base.opaque !== '') return { ...url, opaque: base.opaque, query, fragment };
  const path = removeDots(mergedPath(printedPath(base.path), printedPath(reference.path)));
  return { ...url, user: base.user, host: base.host, path, query, fragment };
}

function mergedPath(base: string, reference: string): string {
  if (reference === '') return base;
  return reference.startsWith('/') ? reference : `${base.slice(0, base.lastIndexOf('/') + 1)}${reference}`;
}

function removeDots(path: string): string {
  if (path === '') return '';
  let result = '/';
  let isFirst = true;
  const segments = path.split('/');
  for (const segment of segments) {
    if (segment === '.') {
      isFirst = false;
    } else if (segment === '..') {
      result = result.slice(0, Math.max(1, result.lastIndexOf('/') < 1 ? 1 : result.lastIndexOf('/')));
      isFirst = result.length === 1;
    } else {
      result += (isFirst ? '' : '/') + segment;
      isFirst = false;
    }
  }
  const last = segments.at(-1);
  if (last === '.' || last === '..') result += '/';
  return result.startsWith('//') ? result.slice(1) : result;
}
