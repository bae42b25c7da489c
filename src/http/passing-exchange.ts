import type { BodyFlow, BodySink, Exchange, Tunnel } from './exchange.ts';

/**
 * An exchange that hands everything on to another one: what wraps an exchange to change or watch a part of it starts from this and
 * overrides that part, so that whatever the contract gains passes through every wrapper.
 */
export class PassingExchange implements Exchange {
  protected readonly inner: Exchange;

  constructor(inner: Exchange) {
    this.inner = inner;
  }

  get method(): string {
    return this.inner.method;
  }
  get target(): string {
    return this.inner.target;
  }
  get host(): string {
    return this.inner.host;
  }
  get scheme(): 'http' | 'https' {
    return this.inner.scheme;
  }
  get httpVersion(): '1.0' | '1.1' | '2.0' {
    return this.inner.httpVersion;
  }
  get rawHeaders(): readonly string[] {
    return this.inner.rawHeaders;
  }
  get remoteAddress(): string {
    return this.inner.remoteAddress;
  }
  get signal(): AbortSignal {
    return this.inner.signal;
  }
  get hasBody(): boolean {
    return this.inner.hasBody;
  }
  get headSent(): boolean {
    return this.inner.headSent;
  }
  get upgrade(): string | undefined {
    return this.inner.upgrade;
  }
  header(name: string): string | undefined {
    return this.inner.header(name);
  }
  receive(sink: BodySink): BodyFlow {
    return this.inner.receive(sink);
  }
  writeInformational(status: number, rawHeaders?: readonly string[]): void {
    this.inner.writeInformational(status, rawHeaders);
  }
  writeHead(status: number, rawHeaders?: readonly string[]): void {
    this.inner.writeHead(status, rawHeaders);
  }
  write(chunk: Uint8Array): boolean {
    return this.inner.write(chunk);
  }
  onDrain(resume: () => void): void {
    this.inner.onDrain(resume);
  }
  end(chunk?: Uint8Array | string, rawTrailers?: readonly string[]): void {
    this.inner.end(chunk, rawTrailers);
  }
  respond(status: number, rawHeaders: readonly string[], body?: Uint8Array | string): void {
    this.inner.respond(status, rawHeaders, body);
  }
  destroy(error?: Error): void {
    this.inner.destroy(error);
  }
  onFinished(listener: (error: Error | undefined) => void): void {
    this.inner.onFinished(listener);
  }
  acceptUpgrade(rawHeaders: readonly string[]): Tunnel {
    const tunnel = this.inner.acceptUpgrade?.(rawHeaders);
    if (tunnel === undefined) throw new Error('this connection cannot switch protocols');
    return tunnel;
  }
}
