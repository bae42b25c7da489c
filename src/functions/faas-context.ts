import type { Exchange } from '../http/exchange.ts';
import { asBuffer } from './body.ts';
import { CallContext, type CallEnvironment } from './context.ts';

/** The context as faas-js-runtime's functions know it: query parameters are fields too, and `rawBody` is text when asked for. */
export class FaasContext extends CallContext {
  readonly #includeRaw: boolean;

  constructor(exchange: Exchange, shared: CallEnvironment, includeRaw: boolean) {
    super(exchange, shared);
    this.#includeRaw = includeRaw;
    if (!exchange.target.includes('?')) return;
    const { query } = this;
    // A parameter never takes the place of a field or method of the context.
    for (const name of Object.keys(query)) if (!(name in this)) Object.assign(this, { [name]: query[name] });
  }

  override get rawBody(): string | undefined {
    return this.#includeRaw && this.bytes !== undefined ? asBuffer(this.bytes).toString('utf8') : undefined;
  }
}
