import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { cannotRun, isExit, startChild, type Child } from './child.ts';
import { engineContainerName, engineRunArguments } from './engine-command.ts';
import type { EngineProgram } from './image-map.ts';
import type { Exit, Launch, LaunchEvents, Launcher, Run } from './launcher.ts';
import type { PortAllocator, PortLease } from './ports.ts';
import { runToEnd } from './process-launcher.ts';
import type { ProcessTable } from './process-table.ts';

export interface EngineLauncherOptions {
  readonly clock: Clock;
  readonly table: ProcessTable;
  readonly ports: PortAllocator;
  /** Environment of the engine's client: all of the host's, which holds its address and credentials. */
  readonly environment: Readonly<Record<string, string>>;
}

const engineCallTimeoutMs = 30_000;

/** Runs images by the command line of a container engine; the engine's client is the process that is watched. */
export function createEngineLauncher(options: EngineLauncherOptions): Launcher<EngineProgram> {
  return {
    launch(launch, events) {
      const run = new EngineRun(launch, events, options);
      run.begin().catch((error: unknown) => run.end(cannotRun(128, messageOf(error))));
      return run;
    },
    close: () => Promise.resolve(),
  };
}

class EngineRun implements Run {
  readonly #launch: Launch<EngineProgram>;
  readonly #events: LaunchEvents;
  readonly #options: EngineLauncherOptions;
  #child: Child | undefined;
  #lease: PortLease | undefined;
  #stopGraceMs: number | undefined;
  #ended = false;

  constructor(launch: Launch<EngineProgram>, events: LaunchEvents, options: EngineLauncherOptions) {
    this.#launch = launch;
    this.#events = events;
    this.#options = options;
  }

  async begin(): Promise<void> {
    const launch = this.#launch;
    const isServing = (launch.container.ports ?? []).length > 0;
    if (isServing) this.#lease = await this.#options.ports.lease(undefined);
    const child = await startChild(
      {
        file: launch.program.engine,
        args: engineRunArguments(launch, this.#lease?.port),
        env: this.#options.environment,
        cwd: '/',
        user: undefined,
        logPath: launch.log.path ?? '/dev/null',
      },
      { clock: this.#options.clock, table: this.#options.table, podName: launch.podName },
    );
    if (isExit(child)) {
      this.end(child);
      return;
    }
    this.#child = child;
    child.onExit((exit) => {
      // A client that was killed leaves its container behind.
      if (exit.signal === undefined) this.end(exit);
      else void this.#engine(['rm', '--force', engineContainerName(launch)]).finally(() => this.end(exit));
    });
    this.#events.started();
    if (this.#lease !== undefined) this.#events.listening({ address: `127.0.0.1:${this.#lease.port}`, accepting: false });
    if (this.#stopGraceMs !== undefined) child.stop(this.#stopGraceMs);
  }

  stop(graceMs: number): void {
    this.#stopGraceMs = Math.min(graceMs, this.#stopGraceMs ?? Infinity);
    this.#child?.stop(this.#stopGraceMs);
  }

  exec(command: readonly string[], timeoutMs: number): Promise<number> {
    return this.#engine(['exec', engineContainerName(this.#launch), ...command], timeoutMs);
  }

  end(exit: Exit): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#lease?.[Symbol.dispose]();
    this.#events.exited(exit);
  }

  #engine(args: readonly string[], timeoutMs = engineCallTimeoutMs): Promise<number> {
    const { engine } = this.#launch.program;
    const run = { file: engine, argv0: engine, args, env: this.#options.environment, cwd: '/', user: undefined, timeoutMs };
    return runToEnd(run);
  }
}
