import { defineFunction } from 'knative-embed/functions';

interface Order {
  order: string;
  total: number;
}

/** Accepts an order by answering with an event, and tells the auditors of large ones through K_SINK. */
export default defineFunction.event<Order>(async (context, event) => {
  const { order, total } = event.data;
  if (total > 1_000) await context.emit({ type: 'audit.requested', subject: order, data: { total } });
  return context.cloudEventResponse({ order }).type('order.accepted').subject(order).response();
});
