const connectionHeaders = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'host',
]);

/** Headers as node:http2 takes them: lower-case names, lists for repeated ones, none that belong to an HTTP/1.1 connection. */
export function http2Headers(rawHeaders: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    if (connectionHeaders.has(name) || name.startsWith(':') || name === '__proto__') continue;
    // HTTP/2 allows TE for trailers only.
    if (name === 'te') {
      if (value.toLowerCase().includes('trailers')) headers[name] = 'trailers';
      continue;
    }
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (singleValued.has(name)) continue;
    else if (name === 'cookie') headers[name] = `${String(before)}; ${value}`;
    else headers[name] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return headers;
}

// node:http2 refuses a second value of these.
const singleValued = new Set([
  'content-length',
  'content-type',
  'date',
  'etag',
  'expires',
  'host',
  'last-modified',
  'location',
  'referer',
  'retry-after',
  'user-agent',
  'authorization',
  'content-location',
  'content-md5',
  'content-range',
  'dnt',
  'from',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'max-forwards',
  'proxy-authorization',
  'range',
  'age',
  'content-encoding',
  'content-language',
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'tk',
  'upgrade-insecure-requests',
  'x-content-type-options',
]);
