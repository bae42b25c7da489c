import { defineFunction } from '../../../../src/functions/define-function.ts';

export default defineFunction(() => {
  setTimeout(() => {
    throw new Error('outside of any call');
  }, 1);
  return 'ok';
});
