import type { Activity } from '../../activity.ts';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Handler } from '../../http/exchange.ts';
import { createLogger, type Logger } from '../../logger.ts';
import { cannotRun } from './child.ts';
import type { FunctionProgram } from './image-map.ts';
import { noExec, type Exit, type Launch, type LaunchEvents, type Launcher, type Run } from './launcher.ts';

/** A function made ready to answer requests. */
export interface LoadedFunction {
  readonly handler: Handler;
  /** Ends it: its shutdown hook, after everything that it still has in hand. */
  close(): Promise<void>;
}

/** Loads a module or takes a function value, runs its init hook and answers with its handler. */
export type LoadFunction = (
  module: FunctionProgram['module'],
  context: {
    readonly env: Readonly<Record<string, string>>;
    readonly clock: Clock;
    /** Counts the import; never the init hook, which may wait for the clock. */
    readonly activity: Activity;
    readonly logger: Logger;
    readonly instanceId: string;
    readonly onBackground: (count: number) => void;
  },
) => Promise<LoadedFunction>;

export interface InProcessLauncherOptions {
  readonly clock: Clock;
  readonly activity: Activity;
  readonly load: LoadFunction;
}

/** Runs functions in the host's own thread: for virtual time and for those who opt in. Their environment is `context.env` only. */
export function createInProcessLauncher(options: InProcessLauncherOptions): Launcher<FunctionProgram> {
  return {
    launch: (launch, events) => new InProcessRun(launch, events, options),
    close: () => Promise.resolve(),
  };
}

class InProcessRun implements Run {
  readonly #events: LaunchEvents;
  readonly #options: InProcessLauncherOptions;
  #loaded: LoadedFunction | undefined;
  #stopGraceMs: number | undefined;
  #killTimer: Disposable | undefined;
  #closing = false;
  #ended = false;

  constructor(launch: Launch<FunctionProgram>, events: LaunchEvents, options: InProcessLauncherOptions) {
    this.#events = events;
    this.#options = options;
    const { clock, activity } = options;
    const logger = createLogger((level, fields, message) => {
      launch.log.write(`${JSON.stringify({ level, time: clock.now(), ...fields, msg: message })}\n`);
    }, 'trace');
    const loading = options.load(launch.program.module, {
      env: launch.env,
      clock,
      activity,
      logger,
      instanceId: launch.instanceId,
      onBackground: (count) => events.background(count),
    });
    loading.then(
      (loaded) => this.#ready(loaded, launch),
      (error: unknown) => {
        launch.log.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        this.#end({ exitCode: 1, reason: 'Error', message: messageOf(error) });
      },
    );
  }

  stop(graceMs: number): void {
    this.#stopGraceMs = Math.min(graceMs, this.#stopGraceMs ?? Infinity);
    this.#killTimer?.[Symbol.dispose]();
    if (this.#stopGraceMs <= 0) {
      this.#end(killed(''));
      return;
    }
    // Also while it is loading: an init hook may never end.
    this.#killTimer = this.#options.clock.setTimer(this.#stopGraceMs, () =>
      this.#end(killed('did not end within its grace period')),
    );
    if (this.#loaded !== undefined) this.#shutDown(this.#loaded);
  }

  exec = noExec;

  #ready(loaded: LoadedFunction, launch: Launch<FunctionProgram>): void {
    this.#loaded = loaded;
    if (this.#stopGraceMs !== undefined) {
      this.#shutDown(loaded);
      return;
    }
    this.#events.started();
    const authority = `${launch.podName}.${launch.namespace}.in-process:80`;
    if ((launch.container.ports ?? []).length > 0) {
      this.#events.listening({ address: authority, handler: loaded.handler, accepting: true });
    }
  }

  #shutDown(loaded: LoadedFunction): void {
    if (this.#closing) return;
    this.#closing = true;
    loaded.close().then(
      () => this.#end({ exitCode: 0, reason: 'Completed', message: '' }),
      (error: unknown) => this.#end(cannotRun(1, messageOf(error))),
    );
  }

  #end(exit: Exit): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#killTimer?.[Symbol.dispose]();
    this.#events.exited(exit);
  }
}

function killed(message: string): Exit {
  return { exitCode: 137, signal: 'SIGKILL', reason: 'Error', message };
}
