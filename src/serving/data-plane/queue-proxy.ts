import { realClock, sleep, type Clock } from '../../clock.ts';
import { handle, respondText, type Exchange, type Handler } from '../../http/index.ts';
import { silentLogger, type Logger } from '../../logger.ts';
import type { Attributes, Meter } from '../../telemetry/meter.ts';
import { createInstanceBreaker, queueFullText, type Breaker, type BreakerTicket } from './breaker.ts';
import { Drainer } from './drainer.ts';
import { instanceHeaders } from './forwarded.ts';
import { createForwarder, type Forwarder } from './forwarder.ts';
import { GuardedExchange, type ExchangeGuard } from './guarded-exchange.ts';
import { InvocationMetrics } from './invocation-metrics.ts';
import { answerHealthCheck, answerNetworkProbe, isHealthCheck, networkProbeOf, type Readiness } from './probe-answers.ts';
import type { RequestLog } from './request-log.ts';
import { RequestStats, type RequestReport } from '../request-stats.ts';
import type { InstanceTarget } from './revision.ts';
import { settle } from './settle.ts';
import { TimeoutLists, type RequestTimeouts } from './timeouts.ts';

export interface QueueProxyOptions {
  /** The one instance in front of which it stands. */
  readonly target: InstanceTarget;
  /** Requests at once; 10 times as many may wait. Default 0 = unlimited. */
  readonly containerConcurrency?: number;
  readonly timeouts?: RequestTimeouts;
  /** What health checks are answered with; default: ready. */
  readonly readiness?: Readiness;
  /** How long no request may come before a drain is over, milliseconds; default 30 s. */
  readonly quietPeriodMs?: number;
  readonly requestLog?: RequestLog;
  /** Gets upstream's measurements of requests, without probes; default none. */
  readonly meter?: Meter;
  /** Go with each measurement; upstream names Service, Configuration and Revision in its resource. Default none. */
  readonly attributes?: Attributes;
  readonly forwarder?: Forwarder;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** What stands in front of one instance: probes, drain, time limits, forwarding headers, breaker, statistics. */
export interface QueueProxy extends AsyncDisposable {
  readonly handler: Handler;
  /** The admin port: `/wait-for-drain` starts a drain and takes it back when no stop follows within a second. */
  readonly admin: Handler;
  /** Fails probes and resolves after a quiet period. */
  drain(): Promise<void>;
  /** Statistics since the last report. */
  report(): RequestReport;
  readonly breaker: Breaker | undefined;
  close(): Promise<void>;
}

const drainResetMs = 1_000;

export function createQueueProxy(options: QueueProxyOptions): QueueProxy {
  return new InstanceProxy(options);
}

class InstanceProxy implements QueueProxy, ExchangeGuard {
  readonly timeoutText = 'request timeout';
  readonly breaker: Breaker | undefined;
  readonly #target: InstanceTarget;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #forwarder: Forwarder;
  readonly #ownForwarder: boolean;
  readonly #readiness: Readiness;
  readonly #timeouts: TimeoutLists;
  readonly #drainer: Drainer;
  readonly #stats: RequestStats;
  readonly #log: RequestLog | undefined;
  readonly #metrics: InvocationMetrics | undefined;
  #stopping = false;

  constructor(options: QueueProxyOptions) {
    this.#target = options.target;
    this.#clock = options.clock ?? realClock;
    this.#logger = options.logger ?? silentLogger;
    this.#ownForwarder = options.forwarder === undefined;
    this.#forwarder = options.forwarder ?? createForwarder({ clock: this.#clock });
    this.#readiness = options.readiness ?? (() => true);
    this.#timeouts = new TimeoutLists(this.#clock, options.timeouts ?? {});
    this.#drainer = new Drainer(this.#clock, options.quietPeriodMs ?? 30_000);
    this.#stats = new RequestStats(this.#clock.monotonic());
    this.#log = options.requestLog;
    if (options.meter !== undefined) this.#metrics = new InvocationMetrics(options.meter, options.attributes ?? {});
    this.breaker = createInstanceBreaker(options.containerConcurrency ?? 0);
  }

  readonly handler: Handler = (exchange) => this.#serve(exchange);

  readonly admin: Handler = async (exchange) => {
    if (exchange.target !== '/wait-for-drain') {
      respondText(exchange, 404, '404 page not found');
      return;
    }
    const drained = this.#drainer.drain();
    await Promise.race([drained, sleep(this.#clock, drainResetMs)]);
    if (!this.#stopping) this.#drainer.reset();
    exchange.respond(200, []);
  };

  drain(): Promise<void> {
    this.#stopping = true;
    return this.#drainer.drain();
  }

  get nowMs(): number {
    return this.#clock.monotonic();
  }

  report(): RequestReport {
    return this.#stats.report(this.#clock.monotonic());
  }

  async close(): Promise<void> {
    if (this.#ownForwarder) await this.#forwarder.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  finished(exchange: GuardedExchange, error: Error | undefined): void {
    const run = exchange as ProxyRun;
    if (run.state === 'waiting') this.breaker?.cancel(run);
    else if (run.state === 'running' && !run.handlerRunning) this.breaker?.leave();
    run.responseDone = true;
    const nowMs = this.#clock.monotonic();
    if (run.counted) this.#stats.leave(nowMs, run.proxied);
    if (!run.probe && this.#metrics !== undefined && networkProbeOf(run.inner) === '') this.#metrics.finish(run, error, nowMs);
    if (!run.probe || this.#log?.probes === true) {
      this.#log?.write({ exchange: run.inner, status: run.status, bytes: run.bytesSent, latencyMs: nowMs - run.arrivedMs });
    }
  }

  #serve(exchange: Exchange): void | Promise<void> {
    if (isHealthCheck(exchange) || networkProbeOf(exchange) === 'probe') return this.#answerProbe(exchange);
    this.#drainer.arrived();
    const run = new ProxyRun(exchange, this, this.#clock.monotonic());
    const { rawHeaders, host } = instanceHeaders(exchange, { role: 'sidecar' });
    run.rawHeaders = rawHeaders;
    run.host = host;
    run.startTimeouts(this.#timeouts, run.arrivedMs);
    if ((exchange.header('k-kubelet-probe') ?? '') !== '') {
      run.probe = true;
      this.dispatch(run);
      return undefined;
    }
    run.proxied = exchange.header('k-proxy-request') === 'activator';
    run.counted = true;
    this.#stats.arrive(run.arrivedMs, run.proxied);
    run.state = this.breaker?.enter(run) ?? 'unlimited';
    if (run.state === 'full') respondText(run, 503, queueFullText);
    else if (run.state !== 'waiting') this.dispatch(run);
    return undefined;
  }

  #answerProbe(exchange: Exchange): void | Promise<void> {
    if (this.#log?.probes === true) {
      const nowMs = this.#clock.monotonic();
      const run = new ProxyRun(exchange, this, nowMs);
      run.probe = true;
      return this.#answer(run);
    }
    return this.#answer(exchange);
  }

  #answer(exchange: Exchange): void | Promise<void> {
    if (this.#drainer.draining) respondText(exchange, 503, 'shutting down');
    else if (isHealthCheck(exchange)) return answerHealthCheck(exchange, this.#readiness);
    else answerNetworkProbe(exchange);
  }

  dispatch(run: ProxyRun): void {
    const target = this.#target;
    run.dispatchedMs ??= run.arrivedMs;
    if (this.breaker !== undefined) this.#metrics?.depth(this.breaker.inFlight);
    if ('handler' in target) {
      run.handlerRunning = true;
      const settled = (): void => {
        run.handlerRunning = false;
        if (run.responseDone && run.state === 'running') this.breaker?.leave();
      };
      handle((exchange) => settle(() => target.handler(exchange), settled), run, this.#logger);
    } else this.#forwarder.forward(run, target, (error) => respondText(run, 502, error.message));
  }
}

/** One request in a queue-proxy. */
class ProxyRun extends GuardedExchange implements BreakerTicket {
  readonly arrivedMs: number;
  dispatchedMs: number | undefined;
  readonly #proxy: InstanceProxy;
  state: 'unlimited' | 'running' | 'waiting' | 'full' = 'unlimited';
  counted = false;
  handlerRunning = false;
  responseDone = false;
  proxied = false;
  probe = false;

  constructor(inner: Exchange, proxy: InstanceProxy, nowMs: number) {
    super(inner, proxy);
    this.#proxy = proxy;
    this.arrivedMs = nowMs;
  }

  granted(): void {
    this.state = 'running';
    this.dispatchedMs = this.#proxy.nowMs;
    this.#proxy.dispatch(this);
  }
}
