import type { FilterSpec } from '../../src/eventing/filters/compile-filter.ts';
import { compileFilter } from '../../src/eventing/filters/compile-filter.ts';
import { wireTime } from '../../src/eventing/filters/event-time.ts';
import { wireForm } from '../../src/eventing/filters/wire-form.ts';
import { createMatcher } from '../../src/eventing/matcher.ts';
import { eventOfJson } from '../../src/cloudevents/json-format.ts';
import { eventOrThrow } from '../../src/cloudevents/event-fault.ts';
import type { AttributeValue, EventMessage } from '../../src/cloudevents/event-message.ts';
import type { FileReplay } from './eventing.files.ts';
import { differencesOf } from './replay.ts';

interface FilterCase {
  readonly event: Record<string, unknown>;
  readonly typedExtensions?: Record<string, { type: string; value: string }>;
  readonly trigger: FilterSpec;
  readonly result: string;
  readonly resultBinaryHop: string;
  readonly validationError?: string;
}

/** filters.json: one filter against one event, as decoded and after a hop in binary mode. */
export const filters: FileReplay = function* (file, cases) {
  for (const item of cases) {
    const vector = item as unknown as FilterCase & { id: string };
    yield { file, id: vector.id, expected: expectation(vector), check: (expected) => checkFilter(vector, expected) };
  }
};

// A filter that upstream cannot parse is a trigger that we refuse; a value that is no boolean fails where upstream crashes.
function expectation(vector: FilterCase): Record<string, string> {
  const parses = !/cesql/.test(vector.validationError ?? '') && !unparsable(vector.trigger);
  const sane = (result: string): string => (result === 'panic' ? (parses ? 'fail' : 'refused') : result);
  const hop = sane(vector.resultBinaryHop);
  // Types of extensions other than text, integer and boolean exist only inside Go's SDK.
  return vector.typedExtensions === undefined ? { result: sane(vector.result), hop } : { hop };
}

function unparsable(trigger: FilterSpec): boolean {
  try {
    compileFilter(trigger);
    return false;
  } catch {
    return true;
  }
}

function checkFilter(vector: FilterCase, expected: Record<string, string>): readonly string[] {
  const event = withTyped(eventOrThrow(eventOfJson(withoutEmpty(vector.event))), vector.typedExtensions ?? {});
  const evaluate = (of: EventMessage): string => {
    if (Object.values(expected).some((value) => value.startsWith('refused')))
      return unparsable(vector.trigger) ? 'refused' : 'accepted';
    return compileFilter(vector.trigger, { invalidCesql: 'skip' }).evaluate(of);
  };
  const actual =
    'result' in expected ? { result: evaluate(event), hop: evaluate(wireForm(event)) } : { hop: evaluate(wireForm(event)) };
  return [...differencesOf(expected, actual), ...indexDifferences(vector.trigger, event)];
}

// The index must always agree with the filter alone.
function indexDifferences(trigger: FilterSpec, event: EventMessage): string[] {
  if (unparsable(trigger)) return [];
  const matcher = createMatcher();
  matcher.set('t', trigger);
  return [event, wireForm(event)].flatMap((of) => {
    const alone = compileFilter(trigger).matches(of);
    return matcher.match(of).length === (alone ? 1 : 0) ? [] : [`index: expected ${String(alone)}`];
  });
}

// Go's SDK takes an empty subject for none.
function withoutEmpty(event: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(event).filter(([name, value]) => name !== 'subject' || value !== ''));
}

function withTyped(event: EventMessage, typed: Readonly<Record<string, { type: string; value: string }>>): EventMessage {
  const values: Record<string, AttributeValue> = {};
  for (const [name, { type, value }] of Object.entries(typed)) values[name] = typedValue(type, value);
  return event.with(values);
}

function typedValue(type: string, value: string): AttributeValue {
  if (type === 'binary') return Uint8Array.from(Buffer.from(value, 'base64'));
  return type === 'timestamp' ? wireTime(value) : value.replaceAll(' ', '%20');
}
