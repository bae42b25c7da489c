import { defineFunction } from 'knative-embed/functions';

interface GreetingRequested {
  name: string;
}

/** Replies to `greeting.requested` with `greeting.sent`; the broker takes the reply in as a new event. */
export default defineFunction.event<GreetingRequested>((context, event) =>
  context
    .cloudEventResponse({ greeting: `Hello, ${event.data?.name ?? 'stranger'}!` })
    .type('greeting.sent')
    .source('/greeter')
    .response(),
);
