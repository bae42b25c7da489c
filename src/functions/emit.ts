import { KnativeError } from '../errors.ts';
import { EventMessage } from '../cloudevents/event-message.ts';
import { randomUuid, type Random } from '../random.ts';
import type { Clock } from '../clock.ts';
import { messageOfEvent } from './event-codec.ts';
import type { Environment, EventDraft } from './context.ts';

/** Sends one event to an address; resolves when it was accepted, rejects when it was given up. */
export type Deliver = (event: EventMessage, sink: string, signal: AbortSignal | undefined) => Promise<void>;

/** What `context.emit` needs from its surroundings. */
export interface EmitOptions {
  readonly env: Environment;
  readonly clock: Clock;
  readonly random: Random;
  /** Source of events that name none. */
  readonly source: string;
  readonly deliver: Deliver | undefined;
}

/** An `emit` that completes the event, applies K_CE_OVERRIDES and hands it to the deliverer for K_SINK. */
export function createEmit(options: EmitOptions): (event: EventDraft, signal?: AbortSignal) => Promise<void> {
  let overrides: Readonly<Record<string, string>> | undefined;
  return async (draft, signal) => {
    const sink = options.env['K_SINK'];
    if (sink === undefined || sink === '') {
      throw new KnativeError('FUNCTIONS_NO_SINK', 'there is nowhere to send the event: K_SINK is not set', {
        path: 'K_SINK',
        hint: 'a SinkBinding sets it; for a run by hand set the variable to a URL',
      });
    }
    if (options.deliver === undefined) {
      throw new KnativeError('FUNCTIONS_NO_DELIVERER', 'this function was started without a way to send events', {
        path: 'deliver',
        hint: 'give the option `deliver`, or start it with `serve`',
      });
    }
    overrides ??= readOverrides(options.env['K_CE_OVERRIDES']);
    await options.deliver(completeEvent(draft, options).with(overrides), sink, signal);
  };
}

/** The event with id, source, time and specversion filled in where they are missing. */
export function completeEvent(
  draft: EventDraft | EventMessage,
  defaults: { readonly clock: Clock; readonly random: Random; readonly source: string },
): EventMessage {
  if (draft instanceof EventMessage) return draft;
  return messageOfEvent({
    ...draft,
    specversion: draft.specversion ?? '1.0',
    id: draft.id ?? randomUuid(defaults.random),
    source: draft.source ?? defaults.source,
    time: draft.time ?? new Date(defaults.clock.now()).toISOString(),
  });
}

/** Extensions that K_CE_OVERRIDES, `{"extensions":{…}}`, demands on every event; bad JSON is an error that names the variable. */
export function readOverrides(text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined || text.trim() === '') return {};
  let extensions: unknown;
  try {
    const value: unknown = JSON.parse(text);
    extensions = typeof value === 'object' && value !== null && 'extensions' in value ? value.extensions : undefined;
  } catch (cause) {
    throw new KnativeError('FUNCTIONS_OVERRIDES_INVALID', 'K_CE_OVERRIDES is no JSON', { path: 'K_CE_OVERRIDES', cause });
  }
  if (typeof extensions !== 'object' || extensions === null) return {};
  return Object.fromEntries(Object.entries(extensions).map(([name, value]) => [name.toLowerCase(), String(value)]));
}
