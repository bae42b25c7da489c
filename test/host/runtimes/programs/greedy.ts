import { defineFunction } from '../../../../src/functions/define-function.ts';

export default defineFunction(() => {
  const kept: object[] = [];
  for (;;) kept.push({ at: kept.length, text: String(kept.length) });
});
