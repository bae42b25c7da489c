import type { Exchange } from './exchange.ts';

// 0 = forward, 1 = drop, 2 = Connection, 3 = Content-Length, 4 = TE, 5 = Expect
const special: ReadonlyMap<string, number> = new Map([
  ['host', 1],
  ['connection', 2],
  ['proxy-connection', 1],
  ['keep-alive', 1],
  ['proxy-authenticate', 1],
  ['proxy-authorization', 1],
  ['te', 4],
  ['trailer', 1],
  ['transfer-encoding', 1],
  ['upgrade', 1],
  ['http2-settings', 1],
  ['content-length', 3],
  ['expect', 5],
]);

// The same spellings come with every request: this saves lower-casing each of them each time.
const kinds = new Map<string, number>();
const kindsMax = 2_000;

function kindOf(name: string): number {
  const known = kinds.get(name);
  if (known !== undefined) return known;
  const kind = name.startsWith(':') ? 1 : (special.get(name.toLowerCase()) ?? 0);
  if (kinds.size < kindsMax) kinds.set(name, kind);
  return kind;
}

export interface RequestHead {
  readonly text: string;
  /** The body goes out in chunks. */
  readonly chunked: boolean;
  /** The client waits for a 100 before it sends its body. */
  readonly expectsContinue: boolean;
}

/**
 * The HTTP/1.1 head for passing an exchange on: end-to-end headers as received, connection-level ones replaced. Values come from
 * servers that have checked them, so that nothing here can break out of its line.
 */
export function requestHead(exchange: Exchange): RequestHead {
  const { rawHeaders } = exchange;
  let text = `${exchange.method} ${exchange.target} HTTP/1.1\r\nHost: ${exchange.host}\r\n`;
  let contentLength: string | undefined;
  let expectsContinue = false;
  let named: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    switch (kindOf(name)) {
      case 0:
        text += `${name}: ${value}\r\n`;
        break;
      case 2:
        if (isListOfOwnHeaders(value)) named = named === undefined ? value : `${named},${value}`;
        break;
      case 3:
        contentLength ??= value;
        break;
      case 4:
        // Trailers are end to end; other values of TE are not.
        if (value.toLowerCase().includes('trailers')) text += 'TE: trailers\r\n';
        break;
      case 5:
        expectsContinue = value.toLowerCase() === '100-continue';
        text += `${name}: ${value}\r\n`;
        break;
    }
  }
  if (named !== undefined) text = withoutNamed(text, named);
  const { hasBody } = exchange;
  if (exchange.upgrade !== undefined) text += `Connection: Upgrade\r\nUpgrade: ${exchange.upgrade}\r\n`;
  if (hasBody && contentLength === undefined) text += 'Transfer-Encoding: chunked\r\n';
  else if (contentLength !== undefined) text += `Content-Length: ${contentLength}\r\n`;
  return { text: `${text}\r\n`, chunked: hasBody && contentLength === undefined, expectsContinue: hasBody && expectsContinue };
}

/** A Connection header that lists more than the usual words names headers that belong to the connection. */
function isListOfOwnHeaders(value: string): boolean {
  return value !== 'keep-alive' && value !== 'close' && value !== 'Keep-Alive' && value !== 'Upgrade' && value !== 'upgrade';
}

function withoutNamed(head: string, named: string): string {
  const names = new Set(named.split(',').map((name) => name.trim().toLowerCase()));
  // Dropping these would change what the message is or where it goes.
  for (const kept of ['host', 'content-length', 'transfer-encoding', 'te', 'close', 'keep-alive', 'upgrade']) names.delete(kept);
  if (names.size === 0) return head;
  const [first = '', ...lines] = head.split('\r\n');
  return [first, ...lines.filter((line) => !names.has(line.slice(0, line.indexOf(':')).toLowerCase()))].join('\r\n');
}
