import type { ClientResponse } from '../http/index.ts';

const withoutBody = new Set([204, 205, 304]);

/** A client's answer as a fetch `Response`; the body streams. */
export function responseOf(answer: ClientResponse): Response {
  const headers = new Headers();
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2)
    headers.append(answer.rawHeaders[i] ?? '', answer.rawHeaders[i + 1] ?? '');
  if (withoutBody.has(answer.status)) return new Response(null, { status: answer.status, headers });
  const chunks = answer.body[Symbol.asyncIterator]();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return?.();
    },
  });
  return new Response(body, { status: answer.status, headers });
}
