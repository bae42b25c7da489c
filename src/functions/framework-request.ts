import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { parseQuery, type Query } from './query.ts';

/** The request that functions of functions-framework get: node:http's with the members of express that such functions use. */
export interface FrameworkRequest extends IncomingMessage {
  body: unknown;
  /** The body as received, decompressed. */
  rawBody: Buffer | undefined;
  readonly executionId: string;
  readonly spanId: string | undefined;
  readonly originalUrl: string;
  readonly baseUrl: string;
  readonly path: string;
  readonly query: Query;
  readonly params: Readonly<Record<string, string | readonly string[]>>;
  readonly protocol: string;
  readonly secure: boolean;
  readonly hostname: string | undefined;
  readonly ip: string | undefined;
  readonly xhr: boolean;
  /** Aborts when the time limit passes or the caller goes away. */
  readonly abortController: AbortController;
  get(name: string): string | undefined;
  header(name: string): string | undefined;
  /** The type that matches the content type, else false. */
  is(...types: readonly (string | readonly string[])[]): string | false;
  /** The first of the types that Accept allows, else false. */
  accepts(...types: readonly (string | readonly string[])[]): string | false;
}

const traceContext = /^\w+\/(\d+)(?:;o=.+)?$/;

/** The class to give to `http.createServer`; made on first use, because it needs node:http. */
export function createRequestClass(): new (socket: Socket) => FrameworkRequest {
  const { IncomingMessage } = process.getBuiltinModule('node:http');
  return class extends IncomingMessage implements FrameworkRequest {
    body: unknown = undefined;
    rawBody: Buffer | undefined = undefined;
    readonly baseUrl = '';
    #query: Query | undefined;
    #executionId: string | undefined;
    #abortController: AbortController | undefined;

    get originalUrl(): string {
      return this.url ?? '/';
    }
    get path(): string {
      return pathOf(this.url ?? '/');
    }
    get query(): Query {
      this.#query ??= parseQuery(this.url ?? '/');
      return this.#query;
    }
    get params(): Readonly<Record<string, string | readonly string[]>> {
      const path = this.path;
      return { '0': path.slice(1), splat: path.slice(1).split('/') };
    }
    get executionId(): string {
      const given = this.get('function-execution-id');
      if (given !== undefined && given !== '') return given;
      this.#executionId ??= (Date.now().toString(36) + Math.random().toString(36).slice(2)).slice(-12);
      return this.#executionId;
    }
    get spanId(): string | undefined {
      return traceContext.exec(this.get('x-cloud-trace-context') ?? '')?.[1];
    }
    // The platform's proxy is trusted, as functions-framework does.
    get protocol(): string {
      return firstOf(this.get('x-forwarded-proto')) ?? 'http';
    }
    get secure(): boolean {
      return this.protocol === 'https';
    }
    get hostname(): string | undefined {
      const host = firstOf(this.get('x-forwarded-host')) ?? this.headers.host;
      return host?.replace(/:\d+$/, '');
    }
    get ip(): string | undefined {
      return firstOf(this.get('x-forwarded-for')) ?? this.socket.remoteAddress;
    }
    get xhr(): boolean {
      return this.get('x-requested-with')?.toLowerCase() === 'xmlhttprequest';
    }
    get abortController(): AbortController {
      this.#abortController ??= new AbortController();
      return this.#abortController;
    }
    get(name: string): string | undefined {
      const lower = name.toLowerCase();
      const value = this.headers[lower === 'referrer' ? 'referer' : lower];
      return Array.isArray(value) ? value.join(', ') : value;
    }
    header(name: string): string | undefined {
      return this.get(name);
    }
    is(...types: readonly (string | readonly string[])[]): string | false {
      const given = this.get('content-type')?.split(';')[0]?.trim().toLowerCase();
      if (given === undefined) return false;
      return types.flat().find((type) => matchesType(given, type)) ?? false;
    }
    accepts(...types: readonly (string | readonly string[])[]): string | false {
      const accept = this.get('accept');
      const wanted = types.flat();
      if (accept === undefined) return wanted[0] ?? false;
      const ranges = accept.split(',').map((part) => part.split(';')[0]?.trim().toLowerCase() ?? '');
      return wanted.find((type) => ranges.some((range) => range === '*/*' || matchesType(mimeOf(type), range))) ?? false;
    }
  };
}

/** The path of a URL without its query. */
export function pathOf(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? url : url.slice(0, mark);
}

function firstOf(list: string | undefined): string | undefined {
  const first = list?.split(',')[0]?.trim();
  return first === '' ? undefined : first;
}

const shortTypes: Readonly<Record<string, string>> = {
  json: 'application/json',
  html: 'text/html',
  text: 'text/plain',
  txt: 'text/plain',
  xml: 'application/xml',
  urlencoded: 'application/x-www-form-urlencoded',
  multipart: 'multipart/form-data',
  bin: 'application/octet-stream',
  png: 'image/png',
  jpg: 'image/jpeg',
  svg: 'image/svg+xml',
  css: 'text/css',
  js: 'text/javascript',
};

/** A media type of a short name such as `json`; a full type stays. */
export function mimeOf(type: string): string {
  return type.includes('/') ? type.toLowerCase() : (shortTypes[type.replace(/^\./, '')] ?? 'application/octet-stream');
}

function matchesType(given: string, pattern: string): boolean {
  const wanted = pattern.startsWith('+') ? `*/*${pattern}` : mimeOf(pattern);
  const [wantedMain = '', wantedSub = ''] = wanted.split('/');
  const [main = '', sub = ''] = given.split('/');
  if (wantedMain !== '*' && wantedMain !== main) return false;
  return wantedSub === '*' || wantedSub === sub || (wantedSub.startsWith('*+') && sub.endsWith(wantedSub.slice(1)));
}
