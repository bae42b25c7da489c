import type { Clock } from '../../clock.ts';
import type { Rehearsal } from '../../functions/rehearse.ts';
import { messageOf } from '../../errors.ts';
import { cannotRun, isExit, startChild, type Child } from './child.ts';
import { parseEntryReport, rehearseMessage, startMessage } from './entry-messages.ts';
import type { FunctionProgram } from './image-map.ts';
import { noExec, type Exit, type Launch, type LaunchEvents, type Launcher, type Run } from './launcher.ts';
import type { MemoryGuard } from './memory-guard.ts';
import type { PortAllocator, PortLease } from './ports.ts';
import { leaseLiteralPort, userOf, workingDirOf } from './process-settings.ts';
import type { ProcessTable } from './process-table.ts';
import { createSparePool, type SparePool } from './spare-pool.ts';

export interface FunctionProcessLauncherOptions {
  readonly clock: Clock;
  readonly table: ProcessTable;
  readonly ports: PortAllocator;
  readonly memory: MemoryGuard;
  /** Module that a process starts with: it waits for the function's path, loads it and listens. */
  readonly entry: URL;
  /** Processes kept ready. */
  readonly spares: number;
  /** What spares make ready. */
  readonly rehearsal: Rehearsal;
  /** Folder for the logs of spares, which move to their instance. */
  readonly spareLogs: string;
  readonly environment: Readonly<Record<string, string>>;
}

interface Spare {
  readonly logPath: string;
  readonly child: Promise<Child | Exit>;
}

/** Runs function modules in Node processes of their own, out of a pool of ones that have loaded everything but the function. */
export function createFunctionProcessLauncher(options: FunctionProcessLauncherOptions): Launcher<FunctionProgram> {
  const fs = process.getBuiltinModule('node:fs');
  fs.mkdirSync(options.spareLogs, { recursive: true });
  let count = 0;
  const make = (user?: { uid: number; gid: number }, cwd?: string): Spare => {
    const logPath = `${options.spareLogs}/${process.pid}-${count++}.log`;
    const child = startChild(
      {
        file: process.execPath,
        args: [process.getBuiltinModule('node:url').fileURLToPath(options.entry)],
        env: { ...options.environment },
        cwd: cwd ?? '/',
        user,
        logPath,
        withChannel: true,
      },
      { clock: options.clock, table: options.table, podName: 'spare' },
    );
    return { logPath, child };
  };
  const discard = (spare: Spare): void => {
    void spare.child.then((child) => {
      if (!isExit(child)) child.stop(0);
      fs.rmSync(spare.logPath, { force: true });
    });
  };
  const pool: SparePool<Spare> = createSparePool({
    size: options.spares,
    clock: options.clock,
    make: () => make(),
    prepare(spare) {
      void spare.child.then((child) => {
        if (!isExit(child)) child.process.send(rehearseMessage(options.rehearsal));
      });
    },
    discard,
    onBroken(spare, broken) {
      void spare.child.then((child) => {
        if (isExit(child)) broken();
        else child.onExit(broken);
      });
    },
  });
  pool.fill();
  return {
    launch(launch, events) {
      const user = userOf(launch.container, undefined, events);
      const needsOwn = user !== undefined || (launch.container.workingDir ?? '') !== '';
      const spare = needsOwn ? make(user, workingDirOf(launch, '/')) : pool.take();
      const run = new FunctionProcessRun(launch, events, options);
      run.begin(spare).catch((error: unknown) => run.end(cannotRun(128, messageOf(error))));
      return run;
    },
    close() {
      pool.close();
      return Promise.resolve();
    },
  };
}

class FunctionProcessRun implements Run {
  readonly #launch: Launch<FunctionProgram>;
  readonly #events: LaunchEvents;
  readonly #options: FunctionProcessLauncherOptions;
  #child: Child | undefined;
  #lease: PortLease | undefined;
  #failure = '';
  #stopGraceMs: number | undefined;
  #ended = false;

  constructor(launch: Launch<FunctionProgram>, events: LaunchEvents, options: FunctionProcessLauncherOptions) {
    this.#launch = launch;
    this.#events = events;
    this.#options = options;
  }

  async begin(spare: Spare): Promise<void> {
    const { container, program, log, env } = this.#launch;
    const [child, lease] = await Promise.all([
      spare.child,
      leaseLiteralPort(this.#options.ports, container.ports?.[0]?.containerPort, this.#events),
    ]);
    this.#lease = lease;
    if (isExit(child)) {
      this.end(child);
      return;
    }
    log.adopt(spare.logPath);
    this.#child = child;
    const guard = this.#options.memory.watch(child, container.limits?.memoryBytes);
    child.process.on('message', (message) => this.#receive(message));
    child.onExit((exit) => {
      const explained = guard.explain(exit);
      this.end(explained.exitCode !== 0 && explained.message === '' ? { ...explained, message: this.#failure } : explained);
    });
    child.process.send(startMessage(String(program.module), { ...env, LISTEN_HOST: '127.0.0.1' }, lease?.port ?? 0));
    this.#events.started();
    if (this.#stopGraceMs !== undefined) child.stop(this.#stopGraceMs);
  }

  stop(graceMs: number): void {
    this.#stopGraceMs = Math.min(graceMs, this.#stopGraceMs ?? Infinity);
    this.#child?.stop(this.#stopGraceMs);
  }

  exec = noExec;

  end(exit: Exit): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#lease?.[Symbol.dispose]();
    this.#events.exited(exit);
  }

  #receive(value: unknown): void {
    const report = parseEntryReport(value);
    if (report?.type === 'ready') this.#events.listening({ address: `127.0.0.1:${report.port}`, accepting: true });
    else if (report?.type === 'background') this.#events.background(report.count);
    else if (report?.type === 'failed') this.#failure = report.message;
  }
}
