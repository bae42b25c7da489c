import { collectBody, type BodyQueue } from './body-queue.ts';
import type { ClientResponse } from './exchange.ts';
import { headerValue } from './raw-headers.ts';

/** A `ClientResponse` over a queue that a transport fills. */
export function makeClientResponse(status: number, rawHeaders: readonly string[], body: BodyQueue): ClientResponse {
  return {
    status,
    rawHeaders,
    body,
    header: (name) => headerValue(rawHeaders, name),
    bytes: (limitBytes) => collectBody(body, limitBytes),
    text: async (limitBytes) => new TextDecoder().decode(await collectBody(body, limitBytes)),
  };
}
