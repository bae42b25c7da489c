import { readFile } from 'node:fs/promises';
import {
  CesqlFault,
  compileCesql,
  decodeStructured,
  eventOrThrow,
  explainCesql,
  formatExplanation,
  type CesqlExpression,
  type EventMessage,
} from '../../cloudevents/index.ts';
import { KnativeError, messageOf } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { Command, CommandContext } from '../command.ts';

export const command: Command = {
  name: 'cesql',
  summary: 'Evaluate a CESQL expression for an event, with the value of each part',
  usage: "cesql 'EXPRESSION' [EVENT.json] [options]",
  help: `Evaluates EXPRESSION for an event in CloudEvents JSON format and shows what each part of it gave. Without an event it is only
parsed. EVENT.json may be - for standard input.

Options:
  --json      the result as one JSON object
  --upstream  as the reference engine evaluates it where that differs from the specification
  -h, --help  this text

Exit code: 0 when a filter with this expression passes the event (or the expression parses), 1 when not, 2 for wrong usage.

Example:
  knative-embed cesql "type LIKE 'order.%' AND INT(total) > 100" event.json`,
  options: { json: { type: 'boolean' }, upstream: { type: 'boolean' } },
  run: (context) => evaluate(context),
};

async function evaluate(context: CommandContext): Promise<number> {
  const { options, positionals, print, printError } = context;
  const [text, file] = positionals;
  if (text === undefined || positionals.length > 2) {
    printError(`usage: knative-embed ${command.usage}`);
    return 2;
  }
  const expression = compileCesql(text, { as: options['upstream'] === true ? 'upstream' : 'specification' });
  if (expression instanceof CesqlFault) {
    for (const line of [text, `${' '.repeat(expression.position)}^`, expression.message]) printError(line);
    return 1;
  }
  if (file === undefined) {
    print('the expression parses');
    return 0;
  }
  return show(expression, eventOrThrow(decodeStructured(await readBytes(file, context))), context);
}

function show(expression: CesqlExpression, event: EventMessage, context: CommandContext): number {
  const passes = expression.matches(event);
  const explanation = explainCesql(expression, event);
  if (context.options['json'] === true) context.print(JSON.stringify({ passes, ...explanation }));
  else {
    for (const line of formatExplanation(explanation)) context.print(line);
    context.print(
      passes ? 'a filter with this expression passes the event' : 'a filter with this expression does not pass the event',
    );
  }
  return passes ? 0 : 1;
}

async function readBytes(file: string, context: CommandContext): Promise<Uint8Array> {
  if (file !== '-') {
    try {
      return await readFile(file);
    } catch (error) {
      throw new KnativeError('CLI_FILE', `${file} cannot be read: ${messageOf(error)}`, { cause: error, path: file });
    }
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of context.stdin) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > limits.bodyBytesMax) throw new KnativeError('CLI_FILE', 'standard input is too large');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
