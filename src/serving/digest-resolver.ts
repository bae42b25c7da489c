import { realClock, sleep, type Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { ClientResponse, HttpClient } from '../http/exchange.ts';
import type { ImageDigest, ImageDigestParams } from './facts.ts';
import { parseTag } from './image-tag.ts';

export interface DigestResolverOptions {
  readonly client: HttpClient;
  /** `Authorization` value for a registry; default: anonymous. */
  readonly authorization?: (registry: string, params: ImageDigestParams) => string | undefined | Promise<string | undefined>;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Default `knative-embed`. */
  readonly userAgent?: string;
}

const manifestTypes = [
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.index.v1+json',
].join(',');

/** What stands in the way; becomes the `error` of the answer. */
class ResolutionFailure extends Error {}

/**
 * Asks registries what tags stand for: the provider behind the fact `image-digest` where images come from registries. Follows the
 * distribution protocol with anonymous bearer tokens. Messages are those of go-containerregistry, which upstream uses.
 */
export function createDigestResolver(
  options: DigestResolverOptions,
): (image: string, params: ImageDigestParams) => Promise<ImageDigest> {
  const clock = options.clock ?? realClock;
  return async (image, params) => {
    const parsed = parseTag(image);
    if ('digest' in parsed) return { digest: image };
    if ('error' in parsed) return { error: `failed to parse image name ${JSON.stringify(image)} into a tag: ${parsed.error}` };
    if (params.registriesSkippingTagResolving.includes(parsed.registry)) return { digest: '' };
    const { registry, repository, tag } = parsed;
    const timeout = new AbortController();
    const { signal } = timeout;
    using _timer = clock.setTimer(params.timeoutMs, () => {
      timeout.abort(new ResolutionFailure('context deadline exceeded'));
    });
    try {
      const own = await options.authorization?.(registry, params);
      const session = await openSession({ ...options, clock }, registry, repository, own, signal);
      const url = `${session.scheme}://${authority(registry)}/v2/${repository}/manifests/${tag}`;
      const context = { ...options, clock };
      let response = await send(context, 'HEAD', url, session.authorization, signal, manifestTypes);
      const challenge = response.status === 401 ? parseChallenge(response.header('www-authenticate') ?? '') : undefined;
      if (challenge?.scheme === 'bearer' && session.authorization?.startsWith('Bearer ') === true) {
        // The token may have expired, or the registry wants another one for this repository.
        const token = await fetchToken(context, challenge.parameters, registry, repository, own, signal);
        response = await send(context, 'HEAD', url, `Bearer ${token}`, signal, manifestTypes);
      }
      if (response.status !== 200) throw new ResolutionFailure(await statusText('HEAD', url, response));
      return { digest: `${registry}/${repository}@${digestOf(response, url)}` };
    } catch (error) {
      return { error: messageOf(error) };
    }
  };
}

interface Session {
  readonly scheme: 'http' | 'https';
  readonly authorization: string | undefined;
}

/** Pings the registry and gets the token that it asks for. */
async function openSession(
  options: Sending,
  registry: string,
  repository: string,
  own: string | undefined,
  signal: AbortSignal,
): Promise<Session> {
  const schemes = isLocal(registry) ? (['https', 'http'] as const) : (['https'] as const);
  let failure: unknown;
  for (const scheme of schemes) {
    const url = `${scheme}://${authority(registry)}/v2/`;
    let response: ClientResponse;
    try {
      response = await send(options, 'GET', url, undefined, signal);
    } catch (error) {
      failure ??= error;
      continue;
    }
    if (response.status === 200) return { scheme, authorization: own };
    if (response.status !== 401) throw new ResolutionFailure(await statusText('GET', url, response));
    const challenge = parseChallenge(response.header('www-authenticate') ?? '');
    if (challenge.scheme !== 'bearer') return { scheme, authorization: own };
    const token = await fetchToken(options, challenge.parameters, registry, repository, own, signal);
    return { scheme, authorization: `Bearer ${token}` };
  }
  throw failure;
}

async function fetchToken(
  options: Sending,
  parameters: Readonly<Record<string, string>>,
  registry: string,
  repository: string,
  own: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const { realm = '', service = registry } = parameters;
  const query = `scope=${encodeURIComponent(`repository:${repository}:pull`)}&service=${encodeURIComponent(service)}`;
  const url = `${realm}${realm.includes('?') ? '&' : '?'}${query}`;
  const response = await send(options, 'GET', url, own, signal);
  if (response.status !== 200) throw new ResolutionFailure(await statusText('GET', url, response));
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const token = fields['token'] ?? fields['access_token'];
  if (typeof token === 'string' && token !== '') return token;
  throw new ResolutionFailure(`no token in bearer response:\n${text}`);
}

/** Options with the clock that waits between attempts. */
type Sending = DigestResolverOptions & { readonly clock: Clock };

const attemptsMax = 3;
const firstRetryMs = 1_000;
const retryFactor = 3;
const retriedStatuses = new Set([408, 499, 500, 502, 503, 504, 522]);

/** One request; answers that may be a registry's bad moment are asked for again, twice at most. */
async function send(
  { client, clock, userAgent = 'knative-embed' }: Sending,
  method: 'GET' | 'HEAD',
  url: string,
  authorization: string | undefined,
  signal: AbortSignal,
  accept?: string,
): Promise<ClientResponse> {
  const rawHeaders = ['User-Agent', userAgent];
  if (accept !== undefined) rawHeaders.push('Accept', accept);
  if (authorization !== undefined) rawHeaders.push('Authorization', authorization);
  for (let attempt = 1, waitMs = firstRetryMs; ; attempt++, waitMs *= retryFactor) {
    let response: ClientResponse;
    try {
      response = await client.request({ method, url, rawHeaders, signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw new ResolutionFailure(`${method === 'GET' ? 'Get' : 'Head'} "${url}": ${messageOf(error)}`);
    }
    if (!retriedStatuses.has(response.status) || attempt === attemptsMax) return response;
    await response.text();
    await sleep(clock, waitMs, signal);
  }
}

function digestOf(response: ClientResponse, url: string): string {
  if ((response.header('content-type') ?? '') === '')
    throw new ResolutionFailure(`HEAD ${url}: response did not include Content-Type header`);
  if (response.header('content-length') === undefined) {
    throw new ResolutionFailure(`GET ${url}: response did not include Content-Length header`);
  }
  const digest = response.header('docker-content-digest') ?? '';
  if (digest === '') throw new ResolutionFailure(`HEAD ${url}: response did not include Docker-Content-Digest header`);
  const colon = digest.indexOf(':');
  const [algorithm, hex] = [digest.slice(0, Math.max(0, colon)), digest.slice(colon + 1)];
  if (algorithm === '' || hex === '') throw new ResolutionFailure(`cannot parse hash: ${JSON.stringify(digest)}`);
  const odd = /[^0-9a-f]/.exec(hex)?.[0];
  if (odd !== undefined) throw new ResolutionFailure(`found non-hex character in hash: ${odd}`);
  if (algorithm !== 'sha256') throw new ResolutionFailure(`unsupported hash: ${JSON.stringify(algorithm)}`);
  if (hex.length !== 64) throw new ResolutionFailure(`wrong number of hex digits for ${algorithm}: ${hex}`);
  return digest;
}

async function statusText(method: string, url: string, response: ClientResponse): Promise<string> {
  const prefix = `${method} ${url}: `;
  const code = `${response.status} ${statusNames[response.status] ?? ''}`.trim();
  const body = await response.text();
  const errors = registryErrors(body);
  if (errors !== undefined) return prefix + errors;
  if (method === 'HEAD' && body === '') {
    return `${prefix}unexpected status code ${code} (HEAD responses have no body, use GET for details)`;
  }
  return `${prefix}unexpected status code ${code}${body === '' ? '' : `: ${body}`}`;
}

/** The errors that a registry puts into a JSON body, `CODE: message; …`. */
function registryErrors(body: string): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  const list = typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>)['errors'] : undefined;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const texts = (list as Record<string, unknown>[]).map(({ code, message, detail }) => {
    const text = `${goText(code)}: ${goText(message)}`;
    if (detail === undefined || detail === null) return text;
    return `${text}; ${goValue(detail)}`;
  });
  return texts.length === 1 ? texts[0] : `multiple errors returned: ${texts.join('; ')}`;
}

function goText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A decoded JSON value as Go prints it. */
function goValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, item]) => `${key}:${goValue(item)}`).join(' ')}]`;
  }
  return String(value);
}

function parseChallenge(header: string): { readonly scheme: string; readonly parameters: Readonly<Record<string, string>> } {
  const [scheme = '', ...rest] = header.split(' ');
  const parameters: Record<string, string> = {};
  for (const match of rest.join(' ').matchAll(/(\w+)=(?:"([^"]*)"|([^,\s]*))/g)) {
    if (match[1] !== undefined) parameters[match[1].toLowerCase()] = match[2] ?? match[3] ?? '';
  }
  return { scheme: scheme.toLowerCase(), parameters };
}

/** The registry in a URL: an empty port is left out. */
function authority(registry: string): string {
  return registry.endsWith(':') ? registry.slice(0, -1) : registry;
}

/** Registries on this machine or a private network may speak plain HTTP. */
function isLocal(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '');
  return (
    /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(1[6-9]|2\d|3[01])\.\d+\.\d+)$/.test(
      host,
    ) ||
    host.endsWith('.local') ||
    host.endsWith('.localhost')
  );
}

const statusNames: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};
