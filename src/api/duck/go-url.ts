/** The parts of a URL reference as Go's `net/url` keeps them: nothing is normalised but the scheme's case. */
export interface GoUrl {
  readonly scheme: string;
  /** User information and host, `undefined` without `//`. */
  readonly authority: string | undefined;
  readonly path: string;
  readonly query: string | undefined;
  readonly fragment: string | undefined;
}

/** Parses a URL reference by the rules of Go's `net/url.Parse`; a string is the text of its error. */
export function parseGoUrl(text: string): GoUrl | string {
  const fail = (reason: string): string => `parse ${JSON.stringify(text)}: ${reason}`;
  if (/[\u0000-\u001f\u007f]/.test(text)) return fail('net/url: invalid control character in URL');
  let rest = text;
  let fragment: string | undefined;
  const hash = rest.indexOf('#');
  if (hash >= 0) {
    fragment = rest.slice(hash + 1);
    rest = rest.slice(0, hash);
  }
  let scheme = '';
  if (rest.startsWith(':')) return fail('missing protocol scheme');
  const colon = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(rest);
  if (colon?.[1] !== undefined) {
    scheme = colon[1].toLowerCase();
    rest = rest.slice(colon[0].length);
  }
  let query: string | undefined;
  const mark = rest.indexOf('?');
  if (mark >= 0) {
    query = rest.slice(mark + 1);
    rest = rest.slice(0, mark);
  }
  if (scheme === '' && !rest.startsWith('/')) {
    const firstSegment = rest.split('/', 1)[0] ?? '';
    if (firstSegment.includes(':')) return fail('first path segment in URL cannot contain colon');
  }
  let authority: string | undefined;
  if (rest.startsWith('//') && !(scheme === '' && rest.startsWith('///'))) {
    const slash = rest.indexOf('/', 2);
    authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    rest = slash < 0 ? '' : rest.slice(slash);
    const problem = authorityProblem(authority);
    if (problem !== undefined) return fail(problem);
  }
  const escape = badEscape(rest) ?? (fragment === undefined ? undefined : badEscape(fragment));
  if (escape !== undefined) return fail(`invalid URL escape ${JSON.stringify(escape)}`);
  return { scheme, authority, path: rest, query, fragment };
}

function badEscape(text: string): string | undefined {
  for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', at + 1)) {
    const escape = text.slice(at, at + 3);
    if (!/^%[0-9A-Fa-f]{2}$/.test(escape)) return escape;
  }
  return undefined;
}

function authorityProblem(authority: string): string | undefined {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (host.startsWith('[')) {
    const close = host.lastIndexOf(']');
    if (close < 0) return "missing ']' in host";
    const port = host.slice(close + 1);
    return validPort(port) ? undefined : `invalid port ${JSON.stringify(port)} after host`;
  }
  const colon = host.lastIndexOf(':');
  if (colon >= 0 && !validPort(host.slice(colon))) return `invalid port ${JSON.stringify(host.slice(colon))} after host`;
  const bad = /[ <>"{}|\\^`]/.exec(host);
  if (bad !== null) return `invalid character ${JSON.stringify(bad[0])} in host name`;
  return undefined;
}

const validPort = (text: string): boolean => text === '' || /^:\d*$/.test(text);

/** Host and port, without user information; '' when there is none. */
export function hostOf(url: GoUrl): string {
  return url.authority === undefined ? '' : url.authority.slice(url.authority.lastIndexOf('@') + 1);
}

/** The URL as Go prints it: characters that a path may not hold are escaped. */
export function formatGoUrl(url: GoUrl): string {
  return (
    (url.scheme === '' ? '' : `${url.scheme}:`) +
    (url.authority === undefined ? '' : `//${url.authority}`) +
    escapePath(url.path) +
    (url.query === undefined ? '' : `?${url.query}`) +
    (url.fragment === undefined || url.fragment === '' ? '' : `#${url.fragment}`)
  );
}

const escapePath = (path: string): string =>
  path.replace(/[^A-Za-z0-9\-_.~!$&'()*+,;=:@/%[\]]/gu, (char) => encodeURIComponent(char));

/** Resolves a reference against an absolute URL (RFC 3986 section 5.2.2, as Go's `ResolveReference`). */
export function resolveGoUrl(base: GoUrl, reference: GoUrl): GoUrl {
  if (reference.scheme !== '') return { ...reference, path: removeDots(reference.path) };
  if (reference.authority !== undefined) return { ...reference, scheme: base.scheme, path: removeDots(reference.path) };
  if (reference.path === '') {
    return {
      ...base,
      query: reference.query ?? base.query,
      fragment: reference.fragment ?? (reference.query === undefined ? base.fragment : undefined),
    };
  }
  const merged = reference.path.startsWith('/')
    ? reference.path
    : `${base.path.slice(0, base.path.lastIndexOf('/') + 1)}${reference.path}`;
  return { ...base, path: removeDots(merged), query: reference.query, fragment: reference.fragment };
}

function removeDots(path: string): string {
  if (path === '') return '';
  const kept: string[] = [];
  const segments = path.split('/');
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment === '.' || segment === '..') {
      if (last) kept.push('');
    } else if (segment !== '' || index > 0 || last) kept.push(segment);
  });
  return `/${kept.join('/')}`.replace(/^\/+/, '/');
}
