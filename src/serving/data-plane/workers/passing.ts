import { headerValue, PassingExchange, respondText, type Exchange, type Handler, type Upstream } from '../../../http/index.ts';
import type { Activator } from '../activator.ts';
import type { RevisionKey } from '../revision.ts';
import { revisionHeader } from './messages.ts';

/** How long a request waits for the news of its revision. */
const newsMs = 5_000;

const lowerRevisionHeader = revisionHeader.toLowerCase();

/** An exchange with other request headers. */
class HeaderExchange extends PassingExchange {
  readonly #rawHeaders: readonly string[];

  constructor(inner: Exchange, rawHeaders: readonly string[]) {
    super(inner);
    this.#rawHeaders = rawHeaders;
  }

  override get rawHeaders(): readonly string[] {
    return this.#rawHeaders;
  }
  override header(name: string): string | undefined {
    return headerValue(this.#rawHeaders, name);
  }
}

/**
 * Makes handlers that give a revision's requests to another process of the data plane: to the first of `addresses` (asked for each
 * request), to the next one when it cannot be reached, and 502 when none can.
 */
export function createPasser(upstream: Upstream) {
  return (revision: RevisionKey, addresses: () => readonly string[]): Handler =>
    (exchange) => {
      const passed = new HeaderExchange(exchange, [...withoutRevision(exchange.rawHeaders), revisionHeader, revision]);
      const [...left] = addresses();
      const next = (why: string): void => {
        const address = left.shift();
        if (address === undefined) respondText(passed, 502, why);
        else upstream.forward(passed, address, (error) => next(error.message));
      };
      next('no worker of the data plane is running');
      // The place here is free only when the answer has gone.
      return new Promise((resolve) => exchange.onFinished(() => resolve()));
    };
}

/** Gives whatever the data plane cannot answer to the process at `address`, as it came. */
export function passAsItIs(upstream: Upstream, address: string): Handler {
  return (exchange) => {
    // A client that names a revision itself would get around the routes.
    const passed = new HeaderExchange(exchange, withoutRevision(exchange.rawHeaders));
    upstream.forward(passed, address, (error) => respondText(passed, 502, error.message));
  };
}

/** Takes requests that another process has passed on, else lets `otherwise` answer; default 404. */
export function passedRequests(activator: Activator, otherwise?: Handler): Handler {
  return (exchange) => {
    const revision = exchange.header(lowerRevisionHeader);
    if (revision === undefined) {
      if (otherwise !== undefined) return otherwise(exchange);
      respondText(exchange, 404, 'only requests that another process of the data plane passes on');
      return undefined;
    }
    // It may be here before the news of its revision, or after that of its end.
    if (!activator.has(revision)) activator.setRevision(revision, { coldStartTimeoutMs: newsMs });
    activator.handle(revision, exchange, { rawHeaders: withoutRevision(exchange.rawHeaders), proxied: true });
    return undefined;
  };
}

function withoutRevision(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, i) => rawHeaders[i & ~1]?.toLowerCase() !== lowerRevisionHeader);
}
