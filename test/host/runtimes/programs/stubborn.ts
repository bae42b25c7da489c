import { defineFunction } from '../../../../src/functions/define-function.ts';

export default defineFunction(() => 'ok', {
  shutdown: () =>
    new Promise(() => {
      // Never ends.
    }),
});
