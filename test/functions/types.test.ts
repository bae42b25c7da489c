import { expectTypeOf, test } from 'vitest';
import * as v from 'valibot';
import { z } from 'zod';
import { defineFunction, type CloudEvent, type FunctionContext, type FunctionDefinition } from '../../src/functions/index.ts';

// Checked by the compiler; the calls only have to be there.
test('handlers get the types that they declare or that a schema promises', () => {
  const definitions: FunctionDefinition[] = [
    defineFunction((context, body) => {
      expectTypeOf(context).toExtend<FunctionContext>();
      expectTypeOf(body).toBeUnknown();
    }),
    defineFunction<{ name: string }>((context, body) => {
      expectTypeOf(body.name).toBeString();
      expectTypeOf(context.body.name).toBeString();
    }),
    defineFunction.event<{ order: string }>((context, event) => {
      expectTypeOf(event).toEqualTypeOf<CloudEvent<{ order: string }>>();
      expectTypeOf(context.event.data.order).toBeString();
    }),
    defineFunction.event({
      data: z.object({ n: z.coerce.number() }),
      handle(_context, event) {
        expectTypeOf(event.data).toEqualTypeOf<{ n: number }>();
      },
    }),
    defineFunction({
      body: v.object({ email: v.string() }),
      handle(_context, body) {
        expectTypeOf(body).toEqualTypeOf<{ email: string }>();
      },
    }),
    defineFunction.event({
      data: { type: 'object' },
      handle(_context, event) {
        expectTypeOf(event.data).toBeUnknown();
      },
    }),
    defineFunction.plain((x: number) => x ** 2),
  ];
  expectTypeOf(definitions).toEqualTypeOf<FunctionDefinition[]>();
  // @ts-expect-error -- a duration, not any value
  defineFunction(() => 'x', { timeout: true });
});
