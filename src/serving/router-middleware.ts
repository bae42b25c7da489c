import type { RouteMatch } from './router-compile.ts';
import type { Router, RouteRequest } from './router.ts';

/** What the middleware does with requests. */
export interface RouteMiddlewareOptions {
  /** `public`: cluster-local hosts do not exist for these requests. Default `public`. */
  readonly listener?: RouteRequest['listener'];
  /** Hands requests that no Ingress has on to the next handler, instead of answering 404. Default false. */
  readonly passUnmatched?: boolean;
  /** True for requests that came without TLS: an Ingress that redirects answers them with 301. Default: none does. */
  readonly isPlain?: (headers: HeaderValues) => boolean;
}

type HeaderValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The part of node:http's request that routing reads and writes; those of Express and Fastify (`request.raw`) have it. */
export interface NodeRequest {
  readonly url?: string | undefined;
  readonly headers: Record<string, string | string[] | undefined>;
}

interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
}

interface Answer {
  readonly status: number;
  readonly location?: string;
}

const routes = new WeakMap<object, RouteMatch>();

/** The match that a middleware found for a request (node:http's own object), `undefined` when there was none. */
export function routeOf(request: object): RouteMatch | undefined {
  return routes.get(request);
}

/**
 * Middleware for node:http, Express and Connect: sets the headers and the host that the Ingress wants, keeps the match for
 * `routeOf(request)` and calls `next`. What the route leads to is the next handler's business.
 */
export function createRouteMiddleware(
  router: Router,
  options: RouteMiddlewareOptions = {},
): (request: NodeRequest, response: NodeResponse, next: () => void) => void {
  return (request, response, next) => {
    const answer = route(router, options, request);
    if (answer === undefined) {
      next();
      return;
    }
    response.statusCode = answer.status;
    if (answer.location !== undefined) response.setHeader('location', answer.location);
    response.end();
  };
}

/** The same as an `onRequest` hook of Fastify. */
export function createFastifyRouteHook(
  router: Router,
  options: RouteMiddlewareOptions = {},
): (
  request: { readonly raw: NodeRequest },
  reply: { code(status: number): unknown; header(name: string, value: string): unknown; send(body?: unknown): unknown },
  done: () => void,
) => void {
  return ({ raw }, reply, done) => {
    const answer = route(router, options, raw);
    if (answer === undefined) {
      done();
      return;
    }
    reply.code(answer.status);
    if (answer.location !== undefined) reply.header('location', answer.location);
    reply.send();
  };
}

/**
 * The same for Hono (and anything else with fetch's `Request`). Such a request cannot be changed: the match is the context variable
 * `route`, and `withRoute(request, match)` makes the request that goes on.
 */
export function createHonoRouteMiddleware(
  router: Router,
  options: RouteMiddlewareOptions = {},
): (
  context: { readonly req: { readonly raw: Request }; set(name: 'route', match: RouteMatch): void },
  next: () => Promise<void>,
) => Promise<Response | undefined> {
  return async (context, next) => {
    const { raw } = context.req;
    const url = new URL(raw.url);
    const found = router.match({
      host: raw.headers.get('host') ?? url.host,
      path: url.pathname,
      header: (name) => raw.headers.get(name) ?? undefined,
      listener: options.listener ?? 'public',
    });
    const answer = answerFor(found, options, () => Object.fromEntries(raw.headers), `${url.host}${url.pathname}${url.search}`);
    if (answer !== undefined) {
      return new Response(null, {
        status: answer.status,
        headers: answer.location === undefined ? {} : { location: answer.location },
      });
    }
    if (found !== undefined) context.set('route', found);
    await next();
    return undefined;
  };
}

/** A copy of the request with the headers and the host that the Ingress wants. */
export function withRoute(request: Request, match: RouteMatch): Request {
  const headers = new Headers(request.headers);
  for (const [name, value] of headersOf(match, headers.get('host') ?? undefined)) headers.set(name, value);
  return new Request(request, { headers });
}

/** Routes a request of node:http in place; an answer when it goes no further. */
function route(router: Router, options: RouteMiddlewareOptions, request: NodeRequest): Answer | undefined {
  const { headers } = request;
  const text = (name: string): string | undefined => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  const host = text('host') ?? text(':authority') ?? '';
  const target = request.url ?? '/';
  const found = router.match({ host, path: target, header: text, listener: options.listener ?? 'public' });
  const answer = answerFor(found, options, () => headers, `${host}${target}`);
  if (answer === undefined && found !== undefined) {
    for (const [name, value] of headersOf(found, host)) headers[name] = value;
    routes.set(request, found);
  }
  return answer;
}

function answerFor(
  found: RouteMatch | undefined,
  { passUnmatched = false, isPlain }: RouteMiddlewareOptions,
  headers: () => HeaderValues,
  address: string,
): Answer | undefined {
  if (found === undefined) return passUnmatched ? undefined : { status: 404 };
  if (found.httpOption === 'Redirected' && isPlain?.(headers()) === true) return { status: 301, location: `https://${address}` };
  return undefined;
}

/** Headers by lower-case name; a rewritten host leaves the one received in `k-original-host`, unless the Ingress says another. */
function headersOf({ appendHeaders, rewriteHost }: RouteMatch, host: string | undefined): (readonly [string, string])[] {
  const set: (readonly [string, string])[] = [];
  if (rewriteHost !== undefined) {
    set.push(['host', rewriteHost]);
    if (host !== undefined) set.push(['k-original-host', host]);
  }
  for (let index = 0; index + 1 < appendHeaders.length; index += 2) {
    set.push([(appendHeaders[index] ?? '').toLowerCase(), appendHeaders[index + 1] ?? '']);
  }
  return set;
}
