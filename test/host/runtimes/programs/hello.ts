import { defineFunction } from '../../../../src/functions/define-function.ts';

let calls = 0;

export default defineFunction((context) => ({
  calls: ++calls,
  revision: context.env['K_REVISION'],
  home: process.env['HOME_OF_HOST'],
}));
