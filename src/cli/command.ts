import type { ParseArgsConfig } from 'node:util';

/** What a command gets: parsed options and the process's edges, handed in so that tests can drive it. */
export interface CommandContext {
  readonly options: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;
  readonly positionals: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: NodeJS.ReadableStream;
  /** Writes one line to standard output. */
  print(line: string): void;
  /** Writes one line to standard error. */
  printError(line: string): void;
  readonly isTty: boolean;
  /** Aborts on SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/** One subcommand: a file in `commands/` that parses nothing itself and calls a module. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Everything after `knative-embed`, such as `validate FILES… [options]`. */
  readonly usage: string;
  /** Text of `--help` below the usage line: options with their defaults, and examples. */
  readonly help: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** The exit code: 0 fine, 1 the answer is no or something failed, 2 wrong usage. A thrown KnativeError prints as one clear error, code 1. */
  run(context: CommandContext): Promise<number>;
}
