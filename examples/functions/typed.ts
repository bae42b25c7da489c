import { defineFunction } from 'knative-embed/functions';
import { z } from 'zod';

const signup = z.object({ email: z.email(), age: z.coerce.number().int().min(18) });

/** The schema gives the handler's types, and events that do not fit are answered 400 before it runs. */
export default defineFunction.event({
  data: signup,
  handle(context, event) {
    const { email, age } = event.data;
    return context
      .cloudEventResponse({ email, adultFor: age - 18 })
      .type('signup.checked')
      .response();
  },
});
