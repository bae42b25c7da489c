import { passedHeaders } from '../cloudevents/delivery-headers.ts';
import { ingressStatus } from '../cloudevents/delivery-ingress.ts';
import { admitEvent } from '../cloudevents/delivery-rules.ts';
import { realClock, type Clock } from '../clock.ts';
import { KnativeError } from '../errors.ts';
import type { HttpClient } from '../http/exchange.ts';
import type { IngressBroker } from './ingress.ts';
import { sendOnce } from './send-event.ts';

export interface ForwardOptions {
  /** Where events go, such as a channel's address; `undefined` while there is none: events are answered 500. */
  readonly url: () => string | undefined;
  readonly client: HttpClient;
  readonly clock?: Clock;
  /** Default 255. */
  readonly ttlMax?: number;
}

/**
 * An ingress without a log of its own, as upstream's: each event goes on to one address before it is answered, with that address's
 * 2xx status, or 500 for whatever else happens there.
 */
export function forwardEvents({ url: urlOf, client, clock = realClock, ttlMax }: ForwardOptions): IngressBroker {
  return {
    async publish(event, { rawHeaders = [], observer }) {
      const admitted = admitEvent(event, new Date(clock.now()).toISOString(), ttlMax);
      if (admitted === undefined) throw refusal('ttlExhausted', 'the event has been through too many brokers');
      const url = urlOf();
      if (url === undefined) throw refusal('notReady', 'there is no address to forward to yet');
      const headers = ['Prefer', 'reply', ...passedHeaders(rawHeaders)];
      const answer = await sendOnce(admitted, url, { client, rawHeaders: headers, observer });
      if (!answer.delivered) throw refusal('failed', `${url} answered ${answer.status}`);
      return { status: answer.status };
    },
  };
}

function refusal(outcome: 'ttlExhausted' | 'notReady' | 'failed', message: string): KnativeError {
  return new KnativeError('EVENTING_FORWARD_FAILED', message, { status: ingressStatus(outcome) });
}
