import { defineFunction } from 'knative-embed/functions';

/** Greets whom the query names, or says back what was posted. */
export default defineFunction((context, body) => {
  context.log.info({ path: context.path }, 'called');
  if (context.method === 'POST') return { received: body };
  if (context.query['name'] === '') return { statusCode: 400, body: 'a name must not be empty' };
  return { greeting: `Hello, ${String(context.query['name'] ?? 'world')}!` };
});
