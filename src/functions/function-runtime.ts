import type { EventMessage } from '../cloudevents/event-message.ts';
import { realClock, type Clock } from '../clock.ts';
import { durationMs } from '../duration.ts';
import { KnativeError } from '../errors.ts';
import type { Exchange, Handler } from '../http/exchange.ts';
import { limits } from '../limits.ts';
import { silentLogger, type Logger } from '../logger.ts';
import { systemRandom } from '../random.ts';
import { BackgroundWork } from './background-work.ts';
import { collectBody, decodeContent, parseBody } from './body.ts';
import { createCallMetrics, type CallMetrics } from './call-metrics.ts';
import { Call, describeError, faasBodyOfEvent, frozenThis, invalidInput, isThenable } from './call.ts';
import type { CloudEvent, CloudEventFields } from './cloud-event.ts';
import { CallContext, type CallEnvironment, type StartContext } from './context.ts';
import { anyOrigin, corsHeaders, preflight } from './cors.ts';
import type { FunctionDefinition } from './define-function.ts';
import { createEmit } from './emit.ts';
import { faasErrorAnswer, nativeErrorAnswer, statusOfError, type ErrorAnswer } from './error-answer.ts';
import { decodeRequestEvents, isEventRequest } from './event-codec.ts';
import { FaasContext } from './faas-context.ts';
import { isFaasRoute } from './faas-route.ts';
import { answerProbe, type HealthPaths } from './health.ts';
import { createFunctionLog } from './log.ts';
import { answerPlain } from './plain.ts';
import { scanHead } from './request-head.ts';
import { BatchReply, isPlainReply, isReplyEvent, sendResult, type ResultRules } from './result.ts';
import type { FunctionRuntime, FunctionRuntimeOptions } from './runtime-options.ts';
import { compileSchema, type Validated, type Validator } from './schema.ts';
import { answerHandshake } from './webhook.ts';

export type { FunctionRuntime, FunctionRuntimeOptions } from './runtime-options.ts';

/** faas-js-runtime's default limit. */
const faasBodyBytesMax = 1_048_576;
const noBytes: Uint8Array = Buffer.alloc(0);

/** A function ready to answer exchanges; nothing runs before `start` or the first request. */
export function createFunctionRuntime(definition: FunctionDefinition, options: FunctionRuntimeOptions = {}): FunctionRuntime {
  return new Runtime(definition, options);
}

/** The handler of a function, for servers, gateways and hosts that answer exchanges themselves. */
export function createFunctionHandler(definition: FunctionDefinition, options: FunctionRuntimeOptions = {}): Handler {
  return createFunctionRuntime(definition, options).handler;
}

class Runtime implements FunctionRuntime {
  readonly handler: Handler;
  readonly #definition: FunctionDefinition;
  readonly #faas: boolean;
  readonly #shared: CallEnvironment;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #bodyBytesMax: number;
  readonly #includeRaw: boolean;
  readonly #health: HealthPaths;
  readonly #answerError: ErrorAnswer;
  readonly #httpRules: ResultRules;
  readonly #eventRules: ResultRules;
  readonly #cors: boolean;
  readonly #background: BackgroundWork;
  readonly #metrics: CallMetrics | undefined;
  #validate: Validator | undefined;
  #started: Promise<void> | undefined;
  #ready = false;
  #closed: Promise<void> | undefined;
  #calls = 0;
  #onFirstAnswer: (() => void) | undefined;
  #idle: (() => void)[] = [];
  #warnedAboutPlainReply = false;

  constructor(definition: FunctionDefinition, options: FunctionRuntimeOptions) {
    const { options: own } = definition;
    const env = options.env ?? {};
    const name = own.name ?? env['K_SERVICE'] ?? 'function';
    const logger = options.logger ?? silentLogger;
    const clock = options.clock ?? realClock;
    const random = options.random ?? systemRandom;
    const emit = createEmit({ env, clock, random, source: `/${name}`, deliver: options.deliver });
    this.handler = (exchange) => this.#answer(exchange);
    this.#definition = definition;
    this.#faas = definition.conventions === 'faas';
    this.#logger = logger;
    this.#background = new BackgroundWork(logger, options.onBackground);
    this.#clock = clock;
    this.#bodyBytesMax = options.bodyBytesMax ?? own.bodyBytesMax ?? (this.#faas ? faasBodyBytesMax : limits.bodyBytesMax);
    this.#includeRaw = options.includeRaw ?? false;
    this.#answerError = this.#faas ? faasErrorAnswer : nativeErrorAnswer(options.exposeErrors ?? false);
    this.#shared = {
      name,
      env,
      clock,
      random,
      logger,
      log: createFunctionLog(logger),
      timeoutMs: own.timeout === undefined ? undefined : durationMs(own.timeout, 'timeout'),
      emit: (event, context) => emit(event, context.signal),
      waitUntil: (work) => this.#background.add(work),
    };
    this.#health = {
      liveness: own.liveness?.path ?? options.healthPaths?.liveness ?? env['LIVENESS_URL'] ?? '/health/liveness',
      readiness: own.readiness?.path ?? options.healthPaths?.readiness ?? env['READINESS_URL'] ?? '/health/readiness',
    };
    this.#cors = this.#faas || own.cors !== undefined;
    // faas-js-runtime lets every origin in on normal answers; only the cors hook makes this depend on the request.
    const headers = this.#faas ? anyOrigin : [];
    this.#httpRules = { headers, repliesToEvent: false, faas: this.#faas };
    this.#eventRules = { headers, repliesToEvent: true, faas: this.#faas };
    this.#metrics = createCallMetrics(options.meter, clock);
    this.#onFirstAnswer = options.onFirstAnswer;
  }

  get active(): number {
    return this.#calls + this.#background.size;
  }

  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  close(graceMs?: number): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    if (this.#definition.schema !== undefined) this.#validate = await compileSchema(this.#definition.schema);
    await this.#definition.options.init?.(this.#startContext());
    this.#ready = true;
  }

  async #close(graceMs: number | undefined): Promise<void> {
    let timer: Disposable | undefined;
    const waits = [this.#quiet()];
    if (graceMs !== undefined) waits.push(new Promise((resolve) => (timer = this.#clock.setTimer(graceMs, resolve))));
    await Promise.race(waits);
    timer?.[Symbol.dispose]();
    if (this.#started === undefined) return;
    await this.#started.catch(() => undefined);
    await this.#definition.options.shutdown?.(this.#startContext());
  }

  // Until neither calls nor background work are left; either may start more of the other.
  async #quiet(): Promise<void> {
    while (this.active > 0) {
      if (this.#calls > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
      else await this.#background.settled();
    }
  }

  #startContext(): StartContext {
    return { env: this.#shared.env, log: this.#shared.log, clock: this.#clock };
  }

  #answer(exchange: Exchange): void | Promise<void> {
    if (!this.#ready) return this.start().then(() => this.#answer(exchange));
    const { target, method } = exchange;
    // Nearly every call is for `/`: one length comparison keeps probes off its path.
    if (target.length > 1 || this.#faas) {
      if (this.#isProbe(exchange)) return this.#probe(exchange);
      if (this.#faas && !isFaasRoute(exchange)) return;
    }
    if (method === 'OPTIONS' && this.#answerOptions(exchange)) return;
    this.#calls++;
    const call = new Call(this.#metrics === undefined ? 0 : this.#clock.monotonic());
    scanHead(exchange.rawHeaders, call);
    if (!exchange.hasBody) {
      this.#invoke(exchange, call, noBytes, false);
      return;
    }
    collectBody(exchange, call.contentLength, this.#bodyBytesMax, (error, bytes) => {
      if (error !== undefined) this.#fail(exchange, call, error, false);
      else if (call.contentEncoding !== undefined) {
        decodeContent(bytes, call.contentEncoding, this.#bodyBytesMax, (decodeError, decoded) => {
          if (decodeError !== undefined) this.#fail(exchange, call, decodeError, false);
          else this.#invoke(exchange, call, decoded, true);
        });
      } else this.#invoke(exchange, call, bytes, true);
    });
  }

  #isProbe({ method, target }: Exchange): boolean {
    return (target === this.#health.liveness || target === this.#health.readiness) && (method === 'GET' || method === 'HEAD');
  }

  #probe(exchange: Exchange): Promise<void> {
    const { liveness, readiness } = this.#definition.options;
    const hook = exchange.target === this.#health.liveness ? liveness : readiness;
    return answerProbe(exchange, hook, new CallContext(exchange, this.#shared), this.#httpRules, this.#answerError);
  }

  // True when it has answered: browsers' preflights, and the handshake of CloudEvents web hooks.
  #answerOptions(exchange: Exchange): boolean {
    if (this.#definition.kind !== 'http' && answerHandshake(exchange)) return true;
    if (this.#cors) return preflight(exchange, this.#definition.options.cors, this.#faas);
    if (this.#definition.kind !== 'event') return false;
    exchange.respond(204, ['allow', 'POST, OPTIONS']);
    return true;
  }

  #invoke(exchange: Exchange, call: Call, bytes: Uint8Array, hasBody: boolean): void {
    const context = this.#faas
      ? new FaasContext(exchange, this.#shared, this.#includeRaw)
      : new CallContext(exchange, this.#shared);
    try {
      if (hasBody) context.bytes = bytes;
      const { kind } = this.#definition;
      const asEvent = kind === 'event' || (kind === 'either' && isEventRequest(call, this.#faas));
      if (this.#shared.timeoutMs !== undefined) this.#setDeadline(exchange, call, context, this.#shared.timeoutMs);
      if (asEvent) this.#invokeWithEvents(exchange, call, context, bytes, hasBody);
      else this.#invokeWithBody(exchange, call, context, bytes, hasBody);
    } catch (error) {
      this.#fail(exchange, call, error, false);
    }
  }

  #invokeWithBody(exchange: Exchange, call: Call, context: CallContext, bytes: Uint8Array, hasBody: boolean): void {
    const { contentType, contentLength } = call;
    // faas-js-runtime parses an empty body when a content type announces one; without it there is no body.
    if (hasBody || (this.#faas && contentType !== undefined && contentLength !== undefined)) {
      context.body = parseBody(bytes, contentType, !this.#faas);
    }
    if (this.#validate === undefined) this.#run(exchange, call, context, context.body);
    else
      this.#validated(exchange, call, context.body, 'the body', (value) => {
        context.body = value;
        this.#run(exchange, call, context, value);
      });
  }

  #invokeWithEvents(exchange: Exchange, call: Call, context: CallContext, bytes: Uint8Array, hasBody: boolean): void {
    const decoded = decodeRequestEvents(exchange.rawHeaders, call, hasBody ? bytes : undefined, this.#faas);
    call.repliesToEvent = true;
    if (Array.isArray(decoded)) {
      this.#settle(exchange, call, this.#handleBatch(exchange, context, decoded));
      return;
    }
    context.event = decoded;
    context.body = this.#faas && hasBody ? faasBodyOfEvent(decoded, bytes, call) : decoded.data;
    if (this.#validate === undefined) this.#run(exchange, call, context, decoded);
    else
      this.#validated(exchange, call, decoded.data, 'the data of the event', (value) => {
        context.event = value === decoded.data ? decoded : decoded.cloneWith({ data: value });
        context.body = value;
        this.#run(exchange, call, context, context.event);
      });
  }

  // One call of the handler per event, in order. Events that come back go out as one batch; the first failure fails the batch.
  async #handleBatch(exchange: Exchange, first: CallContext, events: readonly CloudEvent[]): Promise<unknown> {
    const replies: (CloudEventFields | EventMessage)[] = [];
    for (const event of events) {
      const context = this.#faas ? new FaasContext(exchange, this.#shared, false) : new CallContext(exchange, this.#shared);
      context.deadlineMs = first.deadlineMs;
      const checked = await this.#validate?.(event.data);
      if (checked !== undefined && 'problems' in checked) throw invalidInput('the data of the event', checked.problems);
      const value = checked === undefined ? event.data : checked.value;
      context.event = value === event.data ? event : event.cloneWith({ data: value });
      context.body = value;
      const result: unknown = await this.#definition.handle.call(frozenThis, context, context.event);
      if (isReplyEvent(result)) replies.push(result);
      else if (result !== undefined && result !== null) this.#warnAboutPlainReply();
    }
    return replies.length === 0 ? undefined : new BatchReply(replies);
  }

  #validated(exchange: Exchange, call: Call, value: unknown, what: string, next: (value: unknown) => void): void {
    const settle = (checked: Validated): void => {
      if ('problems' in checked) this.#fail(exchange, call, invalidInput(what, checked.problems), false);
      else next(checked.value);
    };
    const checked = this.#validate?.(value) ?? { value };
    if (checked instanceof Promise) checked.then(settle).catch((error: unknown) => this.#fail(exchange, call, error, true));
    else settle(checked);
  }

  #run(exchange: Exchange, call: Call, context: CallContext, argument: unknown): void {
    let result: unknown;
    try {
      result = this.#definition.handle.call(frozenThis, context, argument);
    } catch (error) {
      this.#fail(exchange, call, error, true);
      return;
    }
    if (isThenable(result)) this.#settle(exchange, call, result);
    else this.#send(exchange, call, result);
  }

  #settle(exchange: Exchange, call: Call, result: PromiseLike<unknown>): void {
    result.then(
      (value) => this.#send(exchange, call, value),
      (error: unknown) => this.#fail(exchange, call, error, true),
    );
  }

  #send(exchange: Exchange, call: Call, value: unknown): void {
    if (call.done) return;
    const rules = this.#rulesFor(exchange, call);
    if (call.repliesToEvent && !this.#warnedAboutPlainReply && isPlainReply(value)) this.#warnAboutPlainReply();
    let sending: void | Promise<void>;
    try {
      sending = this.#definition.kind === 'plain' ? answerPlain(exchange, value, rules) : sendResult(exchange, value, rules);
    } catch (error) {
      this.#fail(exchange, call, error, false, rules.headers);
      return;
    }
    if (sending === undefined) this.#finish(call);
    else {
      sending.then(
        () => this.#finish(call),
        (error: unknown) => this.#fail(exchange, call, error, true),
      );
    }
  }

  #rulesFor(exchange: Exchange, call: Call): ResultRules {
    const rules = call.repliesToEvent ? this.#eventRules : this.#httpRules;
    const { cors } = this.#definition.options;
    return cors === undefined ? rules : { ...rules, headers: corsHeaders(exchange, cors, this.#faas) };
  }

  #fail(exchange: Exchange, call: Call, error: unknown, thrown: boolean, headers?: readonly string[]): void {
    if (call.done) return;
    this.#finish(call, true);
    const gone = KnativeError.is(error) && error.code === 'HTTP_ABORTED';
    const status = statusOfError(error);
    const fields = { method: exchange.method, target: exchange.target, status, err: describeError(error) };
    if (gone) this.#logger.debug(fields, 'the caller went away');
    else if (status >= 500)
      this.#logger.error(fields, thrown ? 'the function failed' : 'the answer of the function cannot be sent');
    else this.#logger.info(fields, thrown ? 'the function refused the request' : 'the request was refused');
    if (gone || exchange.headSent) {
      exchange.destroy(error instanceof Error ? error : undefined);
      return;
    }
    const { cors } = this.#definition.options;
    this.#answerError(exchange, error, thrown, headers ?? (cors === undefined ? [] : corsHeaders(exchange, cors, this.#faas)));
  }

  #finish(call: Call, failed = false): void {
    call.done = true;
    call.timer?.[Symbol.dispose]();
    this.#calls--;
    if (this.#onFirstAnswer !== undefined && !failed) {
      this.#onFirstAnswer();
      this.#onFirstAnswer = undefined;
    }
    this.#metrics?.record(call, failed);
    if (this.#calls > 0 || this.#idle.length === 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #setDeadline(exchange: Exchange, call: Call, context: CallContext, timeoutMs: number): void {
    context.deadlineMs = this.#clock.now() + timeoutMs;
    call.timer = this.#clock.setTimer(timeoutMs, () => {
      const error = new KnativeError('FUNCTIONS_TIMEOUT', `the function did not answer within ${timeoutMs} ms`, { status: 504 });
      context.abort(error);
      this.#fail(exchange, call, error, false);
    });
  }

  #warnAboutPlainReply(): void {
    if (this.#warnedAboutPlainReply) return;
    this.#warnedAboutPlainReply = true;
    this.#logger.warn(
      { hint: "return nothing, or an event made by context.cloudEventResponse(…).type('…').response()" },
      'the function answers an event with a plain value: a Trigger takes that for a failure (502) and delivers the event again',
    );
  }
}
