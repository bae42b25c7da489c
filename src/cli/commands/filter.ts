import { readFile } from 'node:fs/promises';
import { triggers, type Trigger } from '../../api/eventing/trigger.ts';
import { errorText } from '../../api/field-errors.ts';
import { strictDecode } from '../../api/strict-decode.ts';
import { eventOrThrow } from '../../cloudevents/event-fault.ts';
import type { EventMessage } from '../../cloudevents/event-message.ts';
import { decodeStructured } from '../../cloudevents/json-format.ts';
import { formatExplanation } from '../../cloudevents/cesql/explain.ts';
import { KnativeError, messageOf } from '../../errors.ts';
import type { FilterExplanation } from '../../eventing/filters/explain-filter.ts';
import { wireForm } from '../../eventing/filters/wire-form.ts';
import { createMatcher, type TriggerExplanation } from '../../eventing/matcher.ts';
import { limits } from '../../limits.ts';
import type { Command, CommandContext } from '../command.ts';

export const command: Command = {
  name: 'filter',
  summary: 'Say which Triggers would get an event, and why',
  usage: 'filter TRIGGERS.yaml EVENT.json [options]',
  help: `Reads the Triggers of a manifest (other documents are passed over) and an event in CloudEvents JSON format, and says for each
Trigger whether it would get the event and which part of its filter decided. Nothing is sent.
Either file may be - for standard input. The event is judged as a broker sees it: attributes as text, times in UTC.

Options:
  --json      one JSON object per Trigger instead of text
  --parts     show the result of every part of each filter
  -h, --help  this text

Exit code: 0 when at least one Trigger matches, 1 when none does or something is wrong.

Example:
  knative-embed filter triggers.yaml event.json --parts`,
  options: { json: { type: 'boolean' }, parts: { type: 'boolean' } },
  run: (context) => filter(context),
};

async function filter(context: CommandContext): Promise<number> {
  const { options, positionals, print, printError } = context;
  const [triggerFile, eventFile] = positionals;
  if (triggerFile === undefined || eventFile === undefined || positionals.length !== 2) {
    printError(`usage: knative-embed ${command.usage}`);
    return 2;
  }
  const found = await readTriggers(triggerFile, context);
  const event = wireForm(await readEvent(eventFile, context));
  const matcher = createMatcher();
  for (const trigger of found) {
    const { namespace, name } = trigger.metadata;
    matcher.set(namespace === undefined ? name : `${namespace}/${name}`, trigger.spec);
  }
  const explanations = matcher.match(event, { explain: true });
  for (const explanation of explanations) {
    if (options['json'] === true) print(JSON.stringify(explanation));
    else for (const line of describeTrigger(explanation, options['parts'] === true)) print(line);
  }
  return explanations.some(({ matched }) => matched) ? 0 : 1;
}

function describeTrigger(explanation: TriggerExplanation, withParts: boolean): string[] {
  const verdict = explanation.matched ? 'gets the event' : 'does not get the event';
  const lines = [`${explanation.id} ${verdict}: ${explanation.reason}`];
  return withParts ? [...lines, ...describeParts(explanation, 1)] : lines;
}

function describeParts(explanation: FilterExplanation, depth: number): string[] {
  const indent = '  '.repeat(depth);
  const lines = (explanation.parts ?? []).flatMap((part) => [
    `${indent}${part.result}: ${part.reason}`,
    ...describeParts(part, depth + 1),
  ]);
  const { expression } = explanation;
  return expression === undefined ? lines : [...lines, ...formatExplanation(expression, depth + 1)];
}

async function readTriggers(file: string, context: CommandContext): Promise<readonly Trigger[]> {
  const text = await readText(file, context);
  const { parseAllDocuments } = await import('yaml');
  const found: Trigger[] = [];
  for (const document of parseAllDocuments(text, { version: '1.1', merge: true })) {
    const problem = 'errors' in document ? document.errors[0] : undefined;
    if (problem !== undefined) throw new KnativeError('CLI_MANIFEST', `${file}: ${problem.message}`);
    const value: unknown = 'toJS' in document ? document.toJS() : undefined;
    if (isTrigger(value)) found.push(decodeTrigger(file, value));
  }
  if (found.length > 0) return found;
  throw new KnativeError('CLI_NO_TRIGGER', `${file} has no Trigger`, { hint: 'give a manifest with kind: Trigger' });
}

function isTrigger(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Reflect.get(value, 'kind') === triggers.kind;
}

// What the webhook would refuse is refused here too, except what has nothing to do with the filter.
function decodeTrigger(file: string, value: unknown): Trigger {
  const { value: trigger, problems } = strictDecode(triggers.schema, value);
  const [problem] = problems;
  if (problem !== undefined) throw new KnativeError('CLI_MANIFEST', `${file}: ${problem.message}`, { path: problem.path });
  const errors = triggers.validate?.(trigger, {}) ?? [];
  const ofFilter = errors.filter(({ paths }) => paths.length === 0 || paths.some((path) => path.startsWith('spec.filter')));
  if (ofFilter.length > 0) throw new KnativeError('CLI_MANIFEST', `${file}: ${errorText(ofFilter)}`);
  return trigger;
}

async function readEvent(file: string, context: CommandContext): Promise<EventMessage> {
  return eventOrThrow(decodeStructured(new TextEncoder().encode(await readText(file, context))));
}

async function readText(file: string, context: CommandContext): Promise<string> {
  if (file === '-') return readStream(context.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new KnativeError('CLI_FILE', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function readStream(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > limits.manifestBytesMax) throw new KnativeError('CLI_FILE', 'standard input is too large');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
