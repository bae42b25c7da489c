import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { EventMessage } from '../../src/cloudevents/index.ts';
import { compileCesql, eventOfJson, eventOrThrow, type CesqlResult } from '../../src/cloudevents/index.ts';
import { CesqlFault } from '../../src/cloudevents/index.ts';
import { differencesOf, type Replay, type ReplayCase } from './replay.ts';

// cases.json: our own expressions as the reference engine evaluated them; tck/*.yaml: the specification's test suite.

type Json = Record<string, unknown>;

interface Case {
  id: string;
  expression: string;
  event: number;
  typed?: boolean;
  error?: boolean;
  errorStage?: 'parse' | 'evaluate';
  errorKinds?: string[];
  value?: unknown;
  valueType?: string;
  goPanic?: string;
  quirk?: string;
  specValue?: unknown;
  specError?: boolean;
  specErrorKinds?: string[];
}

interface CasesFile {
  meta: { events: Json[]; typedExtensions: Record<string, { type: string; value: string }> };
  cases: Case[];
}

/** What an evaluation is compared by. No value and no type after a parse error. */
interface Outcome {
  error: boolean;
  kind?: string;
  value?: unknown;
  type?: string;
}

export const replay: Replay = function* (folder) {
  const path = join(folder, 'cases.json');
  if (existsSync(path)) {
    const { meta, cases } = JSON.parse(readFileSync(path, 'utf8')) as CasesFile;
    for (const item of cases) yield* replayCase(item, meta);
  }
  const tck = join(folder, 'tck');
  if (!existsSync(tck)) return;
  for (const file of readdirSync(tck).sort()) if (file.endsWith('.yaml')) yield* replayTckFile(tck, file);
};

function* replayCase(item: Case, meta: CasesFile['meta']): Generator<ReplayCase> {
  const event = eventOfCase(item, meta);
  yield {
    file: 'cases.json',
    id: item.id,
    expected: specificationOutcome(item),
    check: (expected) => differencesOf(expected, outcomeOf(item.expression, event, 'specification', expected)),
  };
  // Where the engine differs from the specification, the option that asks for the engine's behaviour gives it.
  if (item.quirk !== undefined && item.goPanic === undefined && item.quirk !== 'typedUriRendering') {
    yield {
      file: 'cases.json',
      id: `${item.id} as upstream`,
      expected: engineOutcome(item),
      check: (expected) => differencesOf(expected, outcomeOf(item.expression, event, 'upstream', expected)),
    };
  }
}

function eventOfCase(item: Case, meta: CasesFile['meta']): EventMessage {
  const event = eventOrThrow(eventOfJson(meta.events[item.event]));
  if (item.typed !== true) return event;
  const typed = Object.entries(meta.typedExtensions).map(([name, { type, value }]) => [
    name,
    type === 'binary' ? Buffer.from(value, 'base64') : value,
  ]);
  return event.with(Object.fromEntries(typed) as Record<string, string>);
}

function specificationOutcome(item: Case): Outcome {
  const parserPanics = item.goPanic !== undefined && item.quirk !== 'negativeLengthPanic';
  if (parserPanics || item.quirk === 'lexerSkipsCharacters') return { error: true, kind: 'parse' };
  if (item.quirk === undefined) return engineOutcome(item);
  const error = item.specError ?? (item.quirk === 'negativeLengthPanic' || item.quirk === 'intCastOverflowNotZero');
  const kinds = item.specErrorKinds ?? (item.quirk === 'negativeLengthPanic' ? ['functionEvaluation'] : item.errorKinds);
  return {
    error,
    ...(error && kinds?.[0] !== undefined ? { kind: kinds[0] } : {}),
    ...('specValue' in item ? { value: item.specValue, type: typeNameOf(item.specValue) } : {}),
  };
}

function engineOutcome(item: Case): Outcome {
  const kind = item.errorKinds?.[0];
  return {
    error: item.error === true,
    ...(kind === undefined ? {} : { kind }),
    ...(item.errorStage === 'parse' ? {} : { value: item.value, type: item.valueType === 'int' ? 'integer' : item.valueType }),
  } as Outcome;
}

/** The outcome in the shape of what is expected: a value that the vector does not give is left out. */
function outcomeOf(expression: string, event: EventMessage, as: 'specification' | 'upstream', expected: Outcome): Outcome {
  const compiled = compileCesql(expression, { as });
  if (compiled instanceof CesqlFault) return { error: true, kind: compiled.kind };
  const { value, error }: CesqlResult = compiled.evaluate(event);
  return {
    error: error !== undefined,
    ...(error === undefined ? {} : { kind: error.kind }),
    ...('value' in expected ? { value } : {}),
    ...('type' in expected ? { type: typeNameOf(value) } : {}),
  };
}

function typeNameOf(value: unknown): string {
  return typeof value === 'number' ? 'integer' : typeof value;
}

interface TckTest {
  name: string;
  expression: string;
  result?: unknown;
  error?: string;
  event?: Json;
  eventOverrides?: Json;
}

function* replayTckFile(folder: string, file: string): Generator<ReplayCase> {
  const [document] = parseAllDocuments(readFileSync(join(folder, file), 'utf8'), { schema: 'core', version: '1.2' });
  const { tests } = document?.toJS() as { tests: TckTest[] };
  for (const test of tests) {
    const conflict = file === 'not_operator.yaml' && test.expression === 'NOT 10';
    yield {
      file: `tck/${file}`,
      id: test.name,
      ...(conflict ? { skip: 'the suite contradicts the text of the specification: an integer casts to a boolean' } : {}),
      expected: tckOutcome(test),
      check: (expected) => differencesOf(expected, outcomeOf(String(test.expression), tckEvent(test), 'specification', expected)),
    };
  }
}

function tckOutcome(test: TckTest): Outcome {
  const parses = test.error !== 'parse';
  return {
    error: test.error !== undefined,
    ...(test.error === undefined ? {} : { kind: test.error }),
    ...(parses && 'result' in test ? { value: test.result } : {}),
  };
}

function tckEvent(test: TckTest): EventMessage {
  const minimal = { specversion: '1.0', id: 'x', source: '/tck', type: 'tck' };
  return eventOrThrow(eventOfJson(test.event ?? { ...minimal, ...test.eventOverrides }));
}
