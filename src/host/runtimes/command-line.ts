import { resolveArgument } from './paths.ts';
import type { Launch } from './launcher.ts';
import type { CommandProgram } from './image-map.ts';

/** What is executed: the file, what the program sees as argv[0], and its arguments. */
export interface CommandLine {
  readonly file: string;
  readonly argv0: string;
  readonly args: readonly string[];
}

/**
 * The command line of a container, by the rules of images: the container's command replaces entry point and default arguments,
 * its args replace the default arguments.
 */
export function commandLine(launch: Launch<CommandProgram>): CommandLine {
  const { container, program, resolvePath } = launch;
  const [first, ...rest] = container.command ?? [];
  const args = container.args ?? (first === undefined ? program.args : []);
  const resolved = args.map((argument) => resolveArgument(argument, resolvePath));
  if (first !== undefined) {
    return {
      file: resolvePath(first),
      argv0: first,
      args: [...rest.map((argument) => resolveArgument(argument, resolvePath)), ...resolved],
    };
  }
  const [file, ...fixed] = program.command;
  return { file, argv0: file, args: [...fixed, ...resolved] };
}
