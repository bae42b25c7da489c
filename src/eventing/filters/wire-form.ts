import {
  textOfAttribute,
  toEventMessage,
  type AttributeValue,
  type EventLike,
  type EventMessage,
} from '../../cloudevents/index.ts';
import { wireTime } from './event-time.ts';

/**
 * The event as it reaches the filters of a Knative broker: there it has travelled in binary mode, so every extension is text and the
 * time is UTC. The event itself when it has that form already.
 */
export function wireForm(given: EventLike): EventMessage {
  const event = toEventMessage(given);
  let changes: Record<string, AttributeValue> | undefined;
  const { time, extensions } = event;
  if (time !== undefined) {
    const utc = wireTime(time);
    if (utc !== time) changes = { time: utc };
  }
  for (let at = 0; at + 1 < extensions.length; at += 2) {
    const value = extensions[at + 1];
    if (value === undefined || typeof value === 'string') continue;
    changes ??= {};
    changes[String(extensions[at])] = textOfAttribute(value);
  }
  return changes === undefined ? event : event.with(changes);
}
