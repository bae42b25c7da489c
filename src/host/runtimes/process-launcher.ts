import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { cannotRun, isExit, startChild, type Child } from './child.ts';
import { commandLine } from './command-line.ts';
import type { CommandProgram } from './image-map.ts';
import type { Launch, LaunchEvents, Launcher, Run } from './launcher.ts';
import type { MemoryGuard } from './memory-guard.ts';
import { resolveArgument } from './paths.ts';
import type { PortAllocator, PortLease } from './ports.ts';
import type { ProcessTable } from './process-table.ts';
import { leaseLiteralPort, userOf, workingDirOf } from './process-settings.ts';

export interface ProcessLauncherOptions {
  readonly clock: Clock;
  readonly table: ProcessTable;
  readonly ports: PortAllocator;
  readonly memory: MemoryGuard;
}

const portPollMs = 50;

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
  #lease: PortLease | undefined;
  #stopGraceMs: number | undefined;
  #ended = false;
  readonly #env: Record<string, string>;
  readonly #user: { readonly uid: number; readonly gid: number } | undefined;

  constructor(launch: Launch<CommandProgram>, events: LaunchEvents, options: ProcessLauncherOptions) {
    this.#launch = launch;
    this.#events = events;
    this.#options = options;
    this.#env = { ...launch.env };
    this.#user = userOf(launch.container, launch.program.user, events);
  }

  async begin(): Promise<void> {
    const { container, log } = this.#launch;
    const isServing = (container.ports ?? []).length > 0;
    if (isServing) this.#lease = await this.#leasePort(container.ports?.[0]?.containerPort);
    if (this.#stopGraceMs !== undefined) {
      this.#end({ exitCode: 143, signal: 'SIGTERM', reason: 'Error', message: 'stopped before it had started' });
      return;
    }
    if (isServing && this.#lease === undefined) {
      this.#end(cannotRun(128, 'no free loopback port was found'));
      return;
    }
    if (this.#lease !== undefined) this.#env['PORT'] = String(this.#lease.port);
    const line = commandLine(this.#launch);
    const child = await startChild(
      {
        ...line,
        env: this.#env,
        cwd: workingDirOf(this.#launch, this.#launch.program.cwd),
        user: this.#user,
        logPath: log.path ?? '/dev/null',
      },
      { clock: this.#options.clock, table: this.#options.table, podName: this.#launch.podName },
    );
    if (isExit(child)) {
      this.#end(child);
      return;
    }
    this.#child = child;
    const guard = this.#options.memory.watch(child, container.limits?.memoryBytes);
    child.onExit((exit) => this.#end(guard.explain(exit)));
    this.#events.started();
    if (this.#lease !== undefined) this.#events.listening({ address: `127.0.0.1:${this.#lease.port}`, accepting: false });
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
    return runToEnd({
      file: resolvePath(first),
      argv0: first,
      args: rest.map((argument) => resolveArgument(argument, resolvePath)),
      env: this.#env,
      cwd: workingDirOf(this.#launch, this.#launch.program.cwd),
      user: this.#user,
      timeoutMs,
    });
  }

  /** A fixed port is waited for: the instance before this one may still be on its way out. */
  async #leasePort(containerPort: number | undefined): Promise<PortLease | undefined> {
    const { ports, clock } = this.#options;
    const fixed = this.#launch.program.port;
    if (fixed === undefined) return leaseLiteralPort(ports, containerPort, this.#events);
    for (;;) {
      const lease = await ports.lease(fixed, { only: true });
      if (lease !== undefined || this.#stopGraceMs !== undefined) return lease;
      this.#events.waiting(
        'PortInUse',
        `port ${fixed} is in use and the program takes no other one: only one instance of it can run on this machine at a time`,
      );
      await new Promise<void>((resolve) => {
        clock.setTimer(portPollMs, resolve);
      });
    }
  }

  #end(exit: Parameters<LaunchEvents['exited']>[0]): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#lease?.[Symbol.dispose]();
    this.#events.exited(exit);
  }
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
