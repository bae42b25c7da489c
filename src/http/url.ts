import { KnativeError } from '../errors.ts';

/** Path and query that can be sent as they are. */
const plainTarget = /^\/[\x21-\x22\x24-\x7e]*$/;

/** A URL with the target to send: as written, so that `..` and escapes reach the server unchanged. */
export interface ParsedUrl {
  readonly url: URL;
  readonly target: string;
}

/** Parses the URL of a request; HTTP_URL_INVALID when it is not an absolute http or https URL. */
export function parseUrl(text: string): ParsedUrl {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new KnativeError('HTTP_URL_INVALID', `not an absolute http or https URL: ${text}`, { path: 'url' });
  }
  const written = /^https?:\/\/[^/?#]*([^#]*)/i.exec(text)?.[1] ?? '';
  return { url, target: plainTarget.test(written) ? written : `${url.pathname}${url.search}` };
}
