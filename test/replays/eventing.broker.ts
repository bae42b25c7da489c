import type { DeliverySpec } from '../../src/api/duck/delivery-spec.ts';
import { retryPolicyOf } from '../../src/cloudevents/delivery-retry.ts';
import { eventOrThrow } from '../../src/cloudevents/event-fault.ts';
import { eventOfJson } from '../../src/cloudevents/json-format.ts';
import { messageOf } from '../../src/errors.ts';
import { dispatchEvent } from '../../src/eventing/dispatch-event.ts';
import { createFilterHandler } from '../../src/eventing/filter-handler.ts';
import { compileFilter, type FilterSpec } from '../../src/eventing/filters/compile-filter.ts';
import { forwardEvents } from '../../src/eventing/forward-events.ts';
import { createIngress } from '../../src/eventing/ingress.ts';
import type { FileReplay, VectorCase } from './eventing.files.ts';
import {
  expectedBody,
  expectedHeaders,
  expectedRequests,
  transports,
  withWorld,
  type Answer,
  type Sinks,
  type TransportName,
  type VectorRequest,
} from './eventing.world.ts';
import { differencesOf } from './replay.ts';

/** One file's cases on both transports. */
export function onBoth(
  expectedOf: (item: VectorCase) => unknown,
  run: (item: VectorCase, transport: TransportName) => Promise<unknown>,
): FileReplay {
  return function* (file, cases) {
    for (const item of cases) {
      for (const transport of transports) {
        yield {
          file,
          id: `${item.id} ${transport}`,
          expected: expectedOf(item),
          check: async (expected) => differencesOf(expected, await run(item, transport)),
        };
      }
    }
  };
}

interface DispatchCase {
  readonly event: unknown;
  readonly sinks: Sinks;
  readonly delivery?: DeliverySpec;
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly requests?: readonly Record<string, unknown>[];
  readonly responseCode?: number;
  readonly error?: string;
  readonly goPanic?: string;
}

/** An error with an address or a word of Go's network code inside counts up to there. */
const untilNetwork = /^(.*?(?:Post |Get |expected 2xx|failed to forward reply to )).*$/s;

/** dispatch.json: the dispatcher. Where Go crashes, on error bodies above 768 bytes, the dead letter has the first 1,024 characters. */
export const dispatch: FileReplay = onBoth(
  (item) => {
    const vector = item as unknown as DispatchCase;
    if (vector.goPanic !== undefined) {
      const body = Buffer.from(vector.sinks['subscriber']?.[0]?.body ?? '').toString('base64');
      return { errorData: body.slice(0, 1_024) };
    }
    return {
      requests: expectedRequests(vector.requests ?? []),
      responseCode: vector.responseCode,
      ...(vector.error === undefined ? {} : { error: shownError(vector.error) }),
    };
  },
  (item, transport) => {
    const vector = item as unknown as DispatchCase;
    const has = (name: string, url: string): string | undefined => (name in vector.sinks ? url : undefined);
    return withWorld(transport, vector.sinks, async ({ client, requests }) => {
      const { status, error } = await dispatchEvent(eventOrThrow(eventOfJson(vector.event)), 'http://subscriber/sub/path', {
        client,
        reply: has('reply', 'http://reply/'),
        deadLetter: has('dls', 'http://dls/'),
        policy: retryPolicyOf(vector.delivery),
        format: vector.delivery?.format,
        rawHeaders: Object.entries(vector.requestHeaders ?? {}).flat(),
      }).catch((failure: unknown) => ({ status: 0, error: messageOf(failure) }));
      if (vector.goPanic !== undefined) return { errorData: requests.at(-1)?.headers['ce-knativeerrordata'] };
      return { requests, responseCode: status, ...(error === undefined ? {} : { error: shownError(error) }) };
    });
  },
);

function shownError(error: string): string {
  return /got -?\d+$/.test(error) ? error : (untilNetwork.exec(error)?.[1] ?? error.split(': ')[0] ?? '');
}

interface HandlerCase {
  readonly request: VectorRequest;
  readonly requests: readonly Record<string, unknown>[];
  readonly response: {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body: string;
    readonly connectionError?: boolean;
  };
  readonly sinks?: Sinks;
  readonly defaultTTL?: number;
  readonly trigger?: FilterSpec & { readonly delivery?: DeliverySpec };
}

export function expectedExchange({ requests, response }: HandlerCase): unknown {
  return {
    requests: expectedRequests(requests),
    response: { status: response.status, headers: expectedHeaders(response.headers), body: expectedBody(response.body) },
  };
}

/** ingress.json: an ingress in front of a channel. */
export const ingress: FileReplay = onBoth(
  (item) => expectedExchange(item as unknown as HandlerCase),
  (item, transport) => {
    const vector = item as unknown as HandlerCase;
    const sinks = vector.sinks ?? { channel: [{ status: 202 }] };
    return withWorld(transport, sinks, async ({ client, requests, serve, send }) => {
      const broker = forwardEvents({
        url: () => ('channel' in sinks ? 'http://channel/' : undefined),
        client,
        ...(vector.defaultTTL === undefined ? {} : { ttlMax: vector.defaultTTL }),
      });
      const brokerOf = (namespace: string, name: string) => (namespace === 'ns' && name === 'b1' ? broker : undefined);
      serve('ingress', createIngress({ brokerOf }));
      return { response: await send('ingress', vector.request), requests };
    });
  },
);

/** filter-handler.json: upstream's broker filter. A value that crashes Go counts as a filter that fails. */
export const filterHandler: FileReplay = onBoth(
  (item) => {
    const vector = item as unknown as HandlerCase;
    return vector.response.connectionError === true
      ? { requests: [], response: { status: 200, headers: { allow: 'POST' }, body: '' } }
      : expectedExchange(vector);
  },
  (item, transport): Promise<{ response: Answer | undefined; requests: unknown }> => {
    const vector = item as unknown as HandlerCase;
    const sinks = vector.sinks ?? {};
    const has = (name: string, url: string): string | undefined => (name in sinks ? url : undefined);
    return withWorld(transport, sinks, async ({ client, requests, serve, send }) => {
      const { trigger = {} } = vector;
      const target = {
        uid: 'uid-1',
        filter: compileFilter(trigger),
        subscriber: has('subscriber', 'http://subscriber/sub'),
        reply: 'http://broker/ns/b1',
        deadLetter: has('dls', 'http://dls/'),
        format: trigger.delivery?.format,
      };
      const triggerOf = (namespace: string, name: string) => (namespace === 'ns' && name === 't1' ? target : undefined);
      serve('filter', createFilterHandler({ client, triggerOf }));
      return { response: await send('filter', vector.request), requests };
    });
  },
);
