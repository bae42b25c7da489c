import type { ServerResponse } from 'node:http';
import { mimeOf, type FrameworkRequest } from './framework-request.ts';

/** Cookie settings of `res.cookie`. */
export interface CookieOptions {
  readonly maxAge?: number;
  readonly expires?: Date;
  readonly domain?: string;
  readonly path?: string;
  readonly secure?: boolean;
  readonly httpOnly?: boolean;
  readonly sameSite?: boolean | 'lax' | 'strict' | 'none';
}

/** The response that functions of functions-framework get: node:http's with the members of express that such functions use. */
export interface FrameworkResponse extends ServerResponse<FrameworkRequest> {
  readonly locals: Record<string, unknown>;
  status(code: number): this;
  sendStatus(code: number): this;
  /** Text as text/html, bytes as application/octet-stream, other values as JSON; an own content type wins. */
  send(body?: unknown): this;
  json(value: unknown): this;
  set(name: string | Readonly<Record<string, string | readonly string[]>>, value?: string | number | readonly string[]): this;
  header(name: string | Readonly<Record<string, string | readonly string[]>>, value?: string | number | readonly string[]): this;
  get(name: string): string | number | string[] | undefined;
  append(name: string, value: string | readonly string[]): this;
  type(type: string): this;
  contentType(type: string): this;
  vary(name: string): this;
  location(url: string): this;
  redirect(statusOrUrl: number | string, url?: string): void;
  cookie(name: string, value: unknown, options?: CookieOptions): this;
  clearCookie(name: string, options?: CookieOptions): this;
}

/** The class to give to `http.createServer`; made on first use, because it needs node:http. */
export function createResponseClass(): new (request: FrameworkRequest) => FrameworkResponse {
  const { ServerResponse, STATUS_CODES } = process.getBuiltinModule('node:http');
  return class extends ServerResponse<FrameworkRequest> implements FrameworkResponse {
    readonly locals: Record<string, unknown> = {};

    status(code: number): this {
      if (!Number.isInteger(code) || code < 100 || code > 999)
        throw new RangeError(`Invalid status code: ${JSON.stringify(code)}`);
      this.statusCode = code;
      return this;
    }

    sendStatus(code: number): this {
      this.status(code);
      return this.type('txt').send(STATUS_CODES[code] ?? String(code));
    }

    send(body?: unknown): this {
      if (typeof body === 'string') {
        if (!this.hasHeader('content-type')) this.type('html');
        return this.#finish(Buffer.from(body));
      }
      if (body === null || body === undefined) return this.#finish(Buffer.alloc(0));
      if (body instanceof Uint8Array) {
        if (!this.hasHeader('content-type')) this.type('bin');
        return this.#finish(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
      }
      return this.json(body);
    }

    json(value: unknown): this {
      const text = JSON.stringify(value);
      if (!this.hasHeader('content-type')) this.set('content-type', 'application/json');
      return this.#finish(Buffer.from(text ?? ''));
    }

    set(name: string | Readonly<Record<string, string | readonly string[]>>, value?: string | number | readonly string[]): this {
      if (typeof name !== 'string') {
        for (const [key, item] of Object.entries(name)) this.set(key, item);
        return this;
      }
      const text = Array.isArray(value) ? value.map(String) : String(value);
      this.setHeader(name, typeof text === 'string' && name.toLowerCase() === 'content-type' ? withCharset(text) : text);
      return this;
    }
    header(
      name: string | Readonly<Record<string, string | readonly string[]>>,
      value?: string | number | readonly string[],
    ): this {
      return this.set(name, value);
    }
    get(name: string): string | number | string[] | undefined {
      return this.getHeader(name);
    }
    append(name: string, value: string | readonly string[]): this {
      this.appendHeader(name, value);
      return this;
    }
    type(type: string): this {
      return this.set('content-type', mimeOf(type));
    }
    contentType(type: string): this {
      return this.type(type);
    }
    vary(name: string): this {
      const earlier = String(this.getHeader('vary') ?? '');
      const names = earlier.split(',').map((item) => item.trim().toLowerCase());
      if (!names.includes(name.toLowerCase())) this.setHeader('vary', earlier === '' ? name : `${earlier}, ${name}`);
      return this;
    }
    location(url: string): this {
      return this.set('location', encodeUrl(url));
    }
    redirect(statusOrUrl: number | string, url?: string): void {
      const status = typeof statusOrUrl === 'number' ? statusOrUrl : 302;
      const target = typeof statusOrUrl === 'string' ? statusOrUrl : (url ?? '/');
      this.location(target);
      this.status(status).vary('Accept');
      const text = `${STATUS_CODES[status] ?? String(status)}. Redirecting to `;
      const shown = String(this.getHeader('location'));
      if (this.req.accepts('text', 'html') === 'html') this.type('html').send(`<p>${text}${escapeHtml(shown)}</p>`);
      else this.type('txt').send(text + shown);
    }
    cookie(name: string, value: unknown, options: CookieOptions = {}): this {
      const text = typeof value === 'object' ? `j:${JSON.stringify(value)}` : String(value);
      return this.append('set-cookie', cookieText(name, text, options));
    }
    clearCookie(name: string, options: CookieOptions = {}): this {
      return this.cookie(name, '', { ...options, expires: new Date(1) });
    }

    #finish(body: Buffer): this {
      if (this.headersSent) throw new Error('Cannot send a response twice: the headers have gone already');
      if (this.#isFresh()) this.statusCode = 304;
      if (this.statusCode === 204 || this.statusCode === 304) {
        for (const name of ['content-type', 'content-length', 'transfer-encoding']) this.removeHeader(name);
        this.end();
        return this;
      }
      this.setHeader('content-length', body.length);
      if (this.req.method === 'HEAD') this.end();
      else this.end(body);
      return this;
    }

    // The caller's cached copy is still good (RFC 9110, 13.1).
    #isFresh(): boolean {
      const { method, headers } = this.req;
      if ((method !== 'GET' && method !== 'HEAD') || !(this.statusCode >= 200 && this.statusCode < 300)) return false;
      if (/(?:^|,)\s*no-cache\s*(?:,|$)/.test(headers['cache-control'] ?? '')) return false;
      const wanted = headers['if-none-match'];
      if (wanted !== undefined) {
        const own = this.getHeader('etag');
        const tags = wanted.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
        return wanted.trim() === '*' || (typeof own === 'string' && tags.includes(own.replace(/^W\//, '')));
      }
      const since = Date.parse(headers['if-modified-since'] ?? '');
      const modified = Date.parse(String(this.getHeader('last-modified') ?? ''));
      return modified <= since;
    }
  };
}

function withCharset(type: string): string {
  if (/;\s*charset\s*=/i.test(type)) return type;
  return type.startsWith('text/') || type === 'application/json' || type === 'application/javascript'
    ? `${type}; charset=utf-8`
    : type;
}

function encodeUrl(url: string): string {
  return url.replace(/[^\x21\x23-\x3b\x3d\x3f-\x5f\x61-\x7a\x7c\x7e]+/g, (text) => encodeURI(text));
}

/** Text for an HTML page. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function cookieText(name: string, value: string, options: CookieOptions): string {
  const parts = [`${name}=${encodeURIComponent(value)}`, `Path=${options.path ?? '/'}`];
  if (options.maxAge !== undefined) parts.push(`Max-Age=${Math.floor(options.maxAge / 1000)}`);
  const expires = options.expires ?? (options.maxAge === undefined ? undefined : new Date(Date.now() + options.maxAge));
  if (options.domain !== undefined) parts.push(`Domain=${options.domain}`);
  if (expires !== undefined) parts.push(`Expires=${expires.toUTCString()}`);
  if (options.httpOnly === true) parts.push('HttpOnly');
  if (options.secure === true) parts.push('Secure');
  if (options.sameSite !== undefined && options.sameSite !== false) {
    const mode = options.sameSite === true ? 'strict' : options.sameSite;
    parts.push(`SameSite=${mode.charAt(0).toUpperCase()}${mode.slice(1)}`);
  }
  return parts.join('; ');
}
