import { encodeBinary } from '../cloudevents/http-binding.ts';
import type { EventMessage } from '../cloudevents/event-message.ts';
import { KnativeError } from '../errors.ts';
import type { HttpClient } from '../http/exchange.ts';
import { createHttpClient } from '../http/undici-client.ts';

export interface SinkDelivererOptions {
  /** Carries the requests; default a pooled client of its own, made with the first event. */
  readonly client?: HttpClient;
}

/** Sends events to a sink by HTTP. */
export interface SinkDeliverer {
  readonly deliver: (event: EventMessage, sink: string, signal: AbortSignal | undefined) => Promise<void>;
  close(): Promise<void>;
}

export function createSinkDeliverer(options: SinkDelivererOptions = {}): SinkDeliverer {
  let own: HttpClient | undefined;
  const clientOf = (): HttpClient => options.client ?? (own ??= createHttpClient());
  return {
    async deliver(event, sink, signal) {
      const { rawHeaders, body } = encodeBinary(event);
      const response = await clientOf().request({
        method: 'POST',
        url: sink,
        rawHeaders,
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
      await response.bytes();
      if (response.status < 200 || response.status > 299) {
        throw new KnativeError('FUNCTIONS_SINK_REFUSED', `the sink answered ${response.status}`, { path: 'K_SINK' });
      }
    },
    async close() {
      await own?.close();
    },
  };
}
