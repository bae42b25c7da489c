import type { Clock } from '../../../clock.ts';
import { KnativeError } from '../../../errors.ts';
import { headerValue, PassingExchange, respondText, type Exchange, type Handler, type Upstream } from '../../../http/index.ts';
import type { Activator } from '../activator.ts';
import { createForwarder, type AddressTarget, type Forwarder } from '../forwarder.ts';
import type { RevisionKey } from '../revision.ts';
import { clientHeader, revisionHeader } from './messages.ts';

/** How long a request waits for the news of its revision. */
const newsMs = 5_000;

const lowerRevisionHeader = revisionHeader.toLowerCase();
const lowerClientHeader = clientHeader.toLowerCase();

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

/** A request that another process has passed on, as its client sent it there. */
class PassedExchange extends HeaderExchange {
  readonly #client: readonly string[] | undefined;

  constructor(inner: Exchange) {
    super(inner, withoutOurs(inner.rawHeaders));
    this.#client = inner.header(lowerClientHeader)?.split(' ');
  }

  override get scheme(): 'http' | 'https' {
    return this.#client?.[0] === 'https' ? 'https' : 'http';
  }
  override get remoteAddress(): string {
    return this.#client?.[1] ?? this.inner.remoteAddress;
  }
}

/** The headers that go along when an exchange is passed on. */
function headersFor({ rawHeaders, scheme, remoteAddress }: Exchange, ...more: readonly string[]): string[] {
  return [...withoutOurs(rawHeaders), clientHeader, `${scheme} ${remoteAddress}`, ...more];
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
      const passed = new HeaderExchange(exchange, headersFor(exchange, revisionHeader, target.revision));
      const [first, ...left] = target.addresses();
      if (first === undefined) {
        unseen(new KnativeError('HTTP_UNREACHABLE', 'no worker of the data plane is running'));
        return;
      }
      const send = (address: string): void =>
        forwarder.forward(passed, { address, protocol: 'auto' }, (error) => {
          const next = error.code === 'HTTP_UNREACHABLE' ? left.shift() : undefined;
          if (next === undefined) unseen(error);
          else send(next);
        });
      send(first);
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
    const passed = new HeaderExchange(exchange, headersFor(exchange));
    upstream.forward(passed, address, (error) => respondText(passed, 502, error.message), 'auto');
  };
}

/** Takes requests that another process has passed on, else lets `otherwise` answer; default 404. */
export function passedRequests(activator: Activator, otherwise?: Handler): Handler {
  return (arrived) => {
    const revision = arrived.header(lowerRevisionHeader);
    const exchange = new PassedExchange(arrived);
    if (revision === undefined) {
      if (otherwise !== undefined) return otherwise(exchange);
      respondText(exchange, 404, 'only requests that another process of the data plane passes on');
      return undefined;
    }
    // It may be here before the news of its revision, or after that of its end.
    if (!activator.has(revision)) activator.setRevision(revision, { coldStartTimeoutMs: newsMs });
    activator.handle(revision, exchange, { proxied: true });
    return undefined;
  };
}

function withoutOurs(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, i) => {
    const name = rawHeaders[i & ~1];
    // Length first: hardly any header has one of these two.
    if (name?.length !== revisionHeader.length && name?.length !== clientHeader.length) return true;
    const lower = name.toLowerCase();
    return lower !== lowerRevisionHeader && lower !== lowerClientHeader;
  });
}
