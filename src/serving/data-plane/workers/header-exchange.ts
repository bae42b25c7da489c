import { headerValue, PassingExchange, type Exchange } from '../../../http/index.ts';

/** An exchange with other request headers. */
export class HeaderExchange extends PassingExchange {
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
