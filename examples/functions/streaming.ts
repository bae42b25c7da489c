import { defineFunction } from 'knative-embed/functions';

/** Server-sent events: one a second until `count` is reached or the browser leaves. */
export default defineFunction((context) => {
  const count = Number(context.query['count'] ?? 3);
  async function* ticks(): AsyncGenerator<string> {
    for (let i = 1; i <= count; i++) {
      await context.sleep('1s');
      yield `data: tick ${i}\n\n`;
    }
  }
  return { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }, body: ticks() };
});
