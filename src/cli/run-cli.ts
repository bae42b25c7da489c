import { parseArgs } from 'node:util';
import { KnativeError, messageOf } from '../errors.ts';
import { commandTable } from './command-table.ts';
import type { Command, CommandContext } from './command.ts';

export type CliEdges = Omit<CommandContext, 'options' | 'positionals'>;

/** The exit code of one invocation. Unknown commands and options print the usage and give 2. */
export async function runCli(args: readonly string[], edges: CliEdges): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    if (rest[0] !== undefined && name === 'help') return runCli([rest[0], '--help'], edges);
    edges.print(overview());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    edges.print(await version());
    return 0;
  }
  const entry = commandTable.find((candidate) => candidate.name === name);
  if (entry === undefined) {
    const close = commandTable.find((candidate) => candidate.name.startsWith(name.slice(0, 3)));
    edges.printError(
      `knative-embed: unknown command ${JSON.stringify(name)}${close === undefined ? '' : `, did you mean ${close.name}?`}`,
    );
    edges.printError(overview());
    return 2;
  }
  const { command } = await entry.load();
  return runCommand(command, rest, edges);
}

async function runCommand(command: Command, args: string[], edges: CliEdges): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      options: { ...command.options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    edges.printError(`knative-embed ${command.name}: ${messageOf(error)}`);
    edges.printError(`usage: knative-embed ${command.usage}`);
    return 2;
  }
  if (parsed.values['help'] === true) {
    edges.print(`usage: knative-embed ${command.usage}\n\n${command.help}`);
    return 0;
  }
  try {
    return await command.run({ ...edges, options: parsed.values, positionals: parsed.positionals });
  } catch (error) {
    edges.printError(describeError(command.name, error));
    return 1;
  }
}

/** One clear error: what, where, and what to do; the stack only for what is not ours. */
function describeError(commandName: string, error: unknown): string {
  if (!KnativeError.is(error))
    return `knative-embed ${commandName}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  const path = error.path === undefined || error.message.includes(error.path) ? '' : ` (${error.path})`;
  return `knative-embed ${commandName}: ${error.message}${path}${error.hint === undefined ? '' : `\n  ${error.hint}`} [${error.code}]`;
}

function overview(): string {
  const width = Math.max(...commandTable.map(({ name }) => name.length));
  return [
    'usage: knative-embed COMMAND [options]',
    '',
    'Knative semantics on this machine: serving, autoscaling, eventing and functions.',
    '',
    'Commands:',
    ...commandTable.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'knative-embed COMMAND --help explains a command; --version prints the version.',
  ].join('\n');
}

async function version(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(new URL(import.meta.resolve('knative-embed/package.json')), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
