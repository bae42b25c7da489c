import { defineFunction } from 'knative-embed/functions';

/** Answers with the revision that served the request. */
export default defineFunction((context) => ({
  message: `${context.env['GREETING'] ?? 'Hello'}, ${context.query['name'] ?? 'world'}!`,
  revision: context.env['K_REVISION'],
}));
