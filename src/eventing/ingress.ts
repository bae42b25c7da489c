import { routeIngress } from '../cloudevents/delivery-ingress.ts';
import { decodeHttp, EventFault } from '../cloudevents/index.ts';
import { KnativeError } from '../errors.ts';
import { readBody } from '../http/index.ts';
import type { Exchange, Handler } from '../http/exchange.ts';
import type { Broker } from './broker.ts';

export interface IngressOptions {
  /** The broker of an address `/NAMESPACE/NAME`; `undefined` when there is none. */
  readonly brokerOf: (namespace: string, name: string) => Broker | undefined;
}

const none: readonly string[] = [];

/**
 * The HTTP face of brokers: `POST /NAMESPACE/NAME` with a CloudEvent in binary or structured mode is answered 202 once the event is
 * in the log, refusals as upstream's ingress answers them.
 */
export function createIngress({ brokerOf }: IngressOptions): Handler {
  return async (exchange: Exchange): Promise<void> => {
    const target = routeIngress(exchange.method, exchange.target);
    if ('status' in target) {
      exchange.respond(target.status, target.rawHeaders);
      return;
    }
    const body = await readBody(exchange);
    const event = decodeHttp(exchange.rawHeaders, body, { as: 'upstream' });
    if (event instanceof EventFault) {
      exchange.respond(400, ['content-type', 'text/plain; charset=utf-8'], `${event.message}\n`);
      return;
    }
    const broker = brokerOf(target.namespace, target.name);
    if (broker === undefined) {
      exchange.respond(404, none);
      return;
    }
    try {
      await broker.publish(event);
      exchange.respond(202, none);
    } catch (error) {
      const status = KnativeError.is(error) ? (error.status ?? 500) : 500;
      exchange.respond(status, status === 503 ? ['Retry-After', '1'] : none);
    }
  };
}
