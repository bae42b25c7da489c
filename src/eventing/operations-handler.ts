import { eventOrThrow } from '../cloudevents/event-fault.ts';
import { eventOfJson } from '../cloudevents/json-format.ts';
import { KnativeError, messageOf } from '../errors.ts';
import { readBody } from '../http/index.ts';
import type { Exchange, Handler } from '../http/exchange.ts';
import type { Broker } from './broker-types.ts';
import type { ParkedEvent } from './log.ts';

export interface OperationsOptions {
  /** Names of the brokers, `NAMESPACE/NAME`. */
  readonly brokers: () => readonly string[];
  readonly brokerOf: (namespace: string, name: string) => Broker | undefined;
  /** What callers must send as a bearer token. At least 16 characters. */
  readonly token: string;
}

const bodyBytesMax = 1024 * 1024;
const parkedMax = 1_000;
const loopback = /^(?:127\.0\.0\.1|\[::1\]|localhost)(?::\d+)?$/;

/**
 * The operations of brokers over HTTP, in JSON, for the command line: what `GET /brokers` lists, `GET /brokers/NAMESPACE/NAME` with its status,
 * `/parked` and `/history?id=…`; `POST` to `/explain`, `/redrive`, `/drop`, `/replay`, `/pause` and `/resume` under it. Only for callers on this machine that
 * know the token; requests that a browser page could have sent are refused.
 */
export function createOperationsHandler(options: OperationsOptions): Handler {
  if (options.token.length < 16) {
    throw new KnativeError('EVENTING_OPTION_INVALID', 'the token of the operations needs 16 characters', { path: 'token' });
  }
  return async (exchange) => {
    try {
      refuseStrangers(exchange, options.token);
      const answer = await operate(exchange, options);
      respond(exchange, 200, answer);
    } catch (error) {
      const status = (KnativeError.is(error) ? error.status : undefined) ?? (KnativeError.is(error) ? 400 : 500);
      const { code, hint } = KnativeError.is(error) ? error : { code: undefined, hint: undefined };
      respond(exchange, status, { error: messageOf(error), code, hint });
    }
  };
}

function respond(exchange: Exchange, status: number, value: unknown): void {
  exchange.respond(status, ['content-type', 'application/json'], JSON.stringify(value ?? null));
}

function refuseStrangers(exchange: Exchange, token: string): void {
  const known = isSame(exchange.header('authorization') ?? '', `Bearer ${token}`);
  if (!known) throw refusal(401, 'the token is missing or wrong');
  if (!loopback.test(exchange.host) || exchange.header('origin') !== undefined)
    throw refusal(403, 'only callers on this machine');
}

/** Compares in a time that does not tell how much of it agrees. */
function isSame(given: string, wanted: string): boolean {
  let different = given.length ^ wanted.length;
  for (let at = 0; at < wanted.length; at++) different |= given.charCodeAt(at) ^ wanted.charCodeAt(at);
  return different === 0;
}

function refusal(status: number, message: string): KnativeError {
  return new KnativeError('EVENTING_OPERATION_REFUSED', message, { status });
}

async function operate(exchange: Exchange, { brokers, brokerOf }: OperationsOptions): Promise<unknown> {
  const { pathname, searchParams } = new URL(exchange.target, 'http://localhost');
  const [, root, namespace = '', name = '', operation = ''] = pathname.split('/').map(decodeURIComponent);
  if (root !== 'brokers') throw refusal(404, `there is no ${pathname}`);
  if (namespace === '') return { brokers: brokers() };
  const broker = brokerOf(namespace, name);
  if (broker === undefined) {
    throw new KnativeError('EVENTING_BROKER_UNKNOWN', `there is no broker ${namespace}/${name}`, {
      status: 404,
      hint: `there is ${brokers().join(', ') || 'none'}`,
    });
  }
  if (exchange.method === 'GET') {
    switch (operation) {
      case '':
        return broker.status();
      case 'parked':
        return { parked: await parkedOf(broker, searchParams.get('trigger') ?? undefined) };
      case 'history': {
        const source = searchParams.get('source');
        return { events: broker.history({ id: searchParams.get('id') ?? '', ...(source === null ? {} : { source }) }) };
      }
    }
  }
  if (exchange.method === 'POST') return change(broker, operation, new Fields(await readBody(exchange, bodyBytesMax)));
  throw refusal(404, `there is no ${exchange.method} ${pathname}`);
}

async function change(broker: Broker, operation: string, fields: Fields): Promise<unknown> {
  const trigger = fields.text('trigger');
  switch (operation) {
    case 'explain':
      return { triggers: broker.explain(eventOrThrow(eventOfJson(fields.value('event')))) };
    case 'redrive': {
      const ids = fields.texts('ids');
      return {
        redriven: await broker.redrive({ ...(trigger === undefined ? {} : { trigger }), ...(ids === undefined ? {} : { ids }) }),
      };
    }
    case 'drop':
      return { dropped: await broker.drop(fields.needed('id')) };
    case 'replay': {
      const range = Object.fromEntries(
        (['fromPosition', 'fromMs', 'toPosition'] as const).flatMap((name) => {
          const value = fields.number(name);
          return value === undefined ? [] : [[name, value] as const];
        }),
      );
      return broker.replay({ trigger: fields.needed('trigger'), dryRun: fields.value('dryRun') === true, ...range });
    }
    case 'pause':
      broker.pause(fields.needed('trigger'));
      return { paused: true };
    case 'resume':
      broker.resume(fields.needed('trigger'));
      return { paused: false };
    default:
      throw refusal(404, `there is no operation ${JSON.stringify(operation)}`);
  }
}

async function parkedOf(broker: Broker, trigger: string | undefined): Promise<unknown[]> {
  const list: unknown[] = [];
  for await (const parked of broker.parked(trigger)) {
    list.push(shown(parked));
    if (list.length === parkedMax) break;
  }
  return list;
}

function shown({ event, rawHeaders: _, ...rest }: ParkedEvent): unknown {
  return { ...rest, event: event.attributes() };
}

/** The fields of a JSON request body. */
class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(body: Uint8Array) {
    const value: unknown = body.length === 0 ? {} : parse(Buffer.from(body).toString('utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('body', 'must be a JSON object');
    this.#fields = { ...value };
  }

  value(name: string): unknown {
    return this.#fields[name];
  }

  text(name: string): string | undefined {
    const value = this.#fields[name];
    if (value === undefined || typeof value === 'string') return value;
    throw invalid(name, 'must be a string');
  }

  needed(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw invalid(name, 'is missing');
    return value;
  }

  number(name: string): number | undefined {
    const value = this.#fields[name];
    if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
    throw invalid(name, 'must be a number');
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.#fields[name];
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    throw invalid(name, 'must be a list of strings');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('body', 'is no JSON');
  }
}

function invalid(path: string, rule: string): KnativeError {
  return new KnativeError('EVENTING_OPERATION_INVALID', `${path} ${rule}`, { path, status: 400 });
}
