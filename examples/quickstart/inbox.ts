import type { Context, CloudEvent } from 'knative-embed/functions';

const received: { id: string; type: string; source: string; data: unknown }[] = [];

/** Keeps the events that it gets; `GET /` lists them. The plain `handle(context, event | body)` convention. */
export function handle(context: Context, event?: CloudEvent): unknown {
  if (context.cloudevent === undefined || event === undefined) return received;
  received.push({ id: event.id, type: event.type, source: event.source, data: event.data });
  return undefined;
}
