import { messageOf } from '../../errors.ts';
import { cannotRun, isExit, startChild, type Child } from './child.ts';
import { commandLine, type CommandLine } from './command-line.ts';
import type { CommandProgram } from './image-map.ts';
import type { Launch, LaunchEvents, Launcher, Run } from './launcher.ts';
import type { MemoryGuard } from './memory-guard.ts';
import { resolveArgument } from './paths.ts';
import { placeProgram, reachHost, type Placement, type PlacementOptions } from './placement.ts';
import type { ProcessTable } from './process-table.ts';
import { userOf, workingDirOf } from './process-settings.ts';

export interface ProcessLauncherOptions extends PlacementOptions {
  readonly table: ProcessTable;
  readonly memory: MemoryGuard;
  /** Where Node programs keep compiled code from one start to the next. */
  compileCacheDir(): string;
}

/** Runs any command as a child process with its own environment, process group, port and log file. */
export function createProcessLauncher(options: ProcessLauncherOptions): Launcher<CommandProgram> {
  return {
    launch(launch, events) {
      const run = new ProcessRun(launch, events, options);
      run.begin().catch((error: unknown) => run.fail(messageOf(error)));
      return run;
    },
    close: () => Promise.resolve(),
  };
}

class ProcessRun implements Run {
  readonly #launch: Launch<CommandProgram>;
  readonly #events: LaunchEvents;
  readonly #options: ProcessLauncherOptions;
  #child: Child | undefined;
  #place: Placement | undefined;
  #stopGraceMs: number | undefined;
  #ended = false;
  readonly #env: Record<string, string>;
  readonly #user: { readonly uid: number; readonly gid: number } | undefined;

  constructor(launch: Launch<CommandProgram>, events: LaunchEvents, options: ProcessLauncherOptions) {
    this.#launch = launch;
    this.#events = events;
    this.#options = options;
    this.#env = { ...launch.env };
    if (isNode(launch.program.command[0])) this.#env['NODE_COMPILE_CACHE'] ??= options.compileCacheDir();
    this.#user = userOf(launch.container, launch.program.user, events);
  }

  async begin(): Promise<void> {
    const { container, log, podName } = this.#launch;
    const isServing = (container.ports ?? []).length > 0;
    const isStopped = (): boolean => this.#stopGraceMs !== undefined;
    if (isServing) this.#place = await placeProgram(this.#launch, this.#events, this.#options, isStopped);
    if (isStopped()) {
      this.#end({ exitCode: 143, signal: 'SIGTERM', reason: 'Error', message: 'stopped before it had started' });
      return;
    }
    if (isServing && this.#place === undefined) {
      this.#end(cannotRun(128, 'no free loopback port was found'));
      return;
    }
    if (this.#place !== undefined) this.#env['PORT'] = String(this.#place.port);
    const logPath = log.path ?? '/dev/null';
    const child = await startChild({ ...this.#execution(commandLine(this.#launch)), logPath }, { ...this.#options, podName });
    if (isExit(child)) {
      this.#end(child);
      return;
    }
    this.#child = child;
    const guard = this.#options.memory.watch(child, container.limits?.memoryBytes);
    child.onExit((exit) => this.#end(guard.explain(exit)));
    this.#events.started();
    if (this.#place !== undefined) this.#events.listening({ address: this.#place.address, accepting: false });
    if (this.#stopGraceMs !== undefined) child.stop(this.#stopGraceMs);
  }

  fail(message: string): void {
    this.#end(cannotRun(128, message));
  }

  stop(graceMs: number): void {
    this.#stopGraceMs = Math.min(graceMs, this.#stopGraceMs ?? Infinity);
    this.#child?.stop(this.#stopGraceMs);
  }

  async exec(command: readonly string[], timeoutMs: number): Promise<number> {
    const [first = '', ...rest] = command;
    const { resolvePath } = this.#launch;
    const args = rest.map((argument) => resolveArgument(argument, resolvePath));
    return runToEnd({ ...this.#execution({ file: resolvePath(first), argv0: first, args }), timeoutMs });
  }

  /** A command line with the container's surroundings; in a namespace it is entered first, as root, and the user changed after. */
  #execution(line: CommandLine): Omit<Execution, 'timeoutMs'> {
    const cwd = workingDirOf(this.#launch, this.#launch.program.cwd);
    const namespace = this.#place?.namespace;
    if (namespace === undefined) return { ...line, env: this.#env, cwd, user: this.#user };
    const [file = '', ...enter] = namespace.enter;
    const user =
      this.#user === undefined
        ? []
        : ['setpriv', `--reuid=${this.#user.uid}`, `--regid=${this.#user.gid}`, '--clear-groups', '--'];
    const env = reachHost(this.#env, namespace.hostAddress);
    return { file, argv0: file, args: [...enter, ...user, line.file, ...line.args], env, cwd, user: undefined };
  }

  #end(exit: Parameters<LaunchEvents['exited']>[0]): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#place?.release();
    this.#events.exited(exit);
  }
}

function isNode(file: string): boolean {
  return /(^|[\\/])node(\.exe)?$/.test(file);
}

interface Execution {
  readonly file: string;
  readonly argv0: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly timeoutMs: number;
}

/** Exit code of a short command; rejects when it cannot be run or takes longer. */
export function runToEnd(execution: Execution): Promise<number> {
  const { spawn } = process.getBuiltinModule('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn(execution.file, [...execution.args], {
      argv0: execution.argv0,
      env: { ...execution.env },
      cwd: execution.cwd,
      stdio: 'ignore',
      timeout: execution.timeoutMs,
      killSignal: 'SIGKILL',
      ...(execution.user === undefined ? {} : execution.user),
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (signal === null) resolve(code ?? 0);
      else
        reject(
          new Error(
            `command ${JSON.stringify(execution.argv0)} was ended by ${signal}, the time limit is ${execution.timeoutMs} ms`,
          ),
        );
    });
  });
}
