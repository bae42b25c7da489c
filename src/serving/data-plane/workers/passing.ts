import type { Clock } from '../../../clock.ts';
import { KnativeError } from '../../../errors.ts';
import { headerValue, PassingExchange, respondText, type Exchange, type Handler, type Upstream } from '../../../http/index.ts';
import type { Activator } from '../activator.ts';
import { createForwarder, type AddressTarget, type Forwarder } from '../forwarder.ts';
import type { RevisionKey } from '../revision.ts';
import { revisionHeader } from './messages.ts';

/** How long a request waits for the news of its revision. */
const newsMs = 5_000;

const lowerRevisionHeader = revisionHeader.toLowerCase();

/** Another process of the data plane, in the place of an instance. */
export interface ProcessTarget extends AddressTarget {
  readonly revision: RevisionKey;
  /** Where it is reached, asked for each request; the next one is tried when the first cannot be reached. */
  readonly addresses: () => readonly string[];
}

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
 * A forwarder that knows other processes of the data plane too. One that is gone counts like an instance that cannot be reached:
 * the request is tried again until there is news of who has the instances now.
 */
export function createPassingForwarder(options: { readonly clock?: Clock } = {}): Forwarder {
  const forwarder = createForwarder(options);
  return {
    forward(exchange, target, unseen) {
      if (!isProcess(target)) {
        forwarder.forward(exchange, target, unseen);
        return;
      }
      const headers = [...withoutRevision(exchange.rawHeaders), revisionHeader, target.revision];
      const passed = new HeaderExchange(exchange, headers);
      const [...left] = target.addresses();
      const next = (why: KnativeError): void => {
        const address = why.code === 'HTTP_UNREACHABLE' ? left.shift() : undefined;
        if (address === undefined) unseen(why);
        else forwarder.forward(passed, { address, protocol: 'auto' }, next);
      };
      next(new KnativeError('HTTP_UNREACHABLE', 'no worker of the data plane is running'));
    },
    close: () => forwarder.close(),
  };
}

function isProcess(target: AddressTarget): target is ProcessTarget {
  return 'addresses' in target;
}

/** Gives whatever the data plane cannot answer to the process at `address`, as it came. */
export function passAsItIs(upstream: Upstream, address: string): Handler {
  return (exchange) => {
    // A client that names a revision itself would get around the routes.
    const passed = new HeaderExchange(exchange, withoutRevision(exchange.rawHeaders));
    upstream.forward(passed, address, (error) => respondText(passed, 502, error.message), 'auto');
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
