import { defineFunction } from '../../../../src/functions/define-function.ts';

export default defineFunction((context) => {
  context.waitUntil(new Promise((resolve) => setTimeout(resolve, 50)));
  return {};
});
