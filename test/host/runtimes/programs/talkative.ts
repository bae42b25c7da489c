import { defineFunction } from '../../../../src/functions/define-function.ts';

console.log(`loaded ${process.env['K_REVISION']}`);

export default defineFunction((context) => {
  console.log('called');
  return { revision: context.env['K_REVISION'], pid: process.pid };
});
