import type { Handler } from '../../http/exchange.ts';
import type { FunctionProgram, Program } from './image-map.ts';
import type { LogWriter } from './log-store.ts';
import type { ContainerSpec } from './runtime.ts';

/** How one run of a container ended. */
export interface Exit {
  readonly exitCode: number;
  readonly signal?: string;
  readonly reason: 'Completed' | 'Error' | 'OOMKilled' | 'ContainerCannotRun';
  readonly message: string;
}

/** Everything that one run of a container needs. */
export interface Launch<P extends Program = Program> {
  readonly instanceId: string;
  readonly podName: string;
  readonly namespace: string;
  readonly container: ContainerSpec;
  /** The instance has no other container that it shares localhost with. */
  readonly isAlone: boolean;
  readonly program: P;
  /** The complete environment but for PORT. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: LogWriter;
  /** Turns an absolute path of the image (its aliases and mounts) into one of this machine. */
  readonly resolvePath: (path: string) => string;
}

/** What a run reports. Nothing is reported after `exited`. */
export interface LaunchEvents {
  /** The program runs. */
  started(): void;
  /** Where the serving port will answer. It may not answer yet. */
  listening(target: Target): void;
  note(text: string): void;
  /** How much work given to `waitUntil` is under way. */
  background(count: number): void;
  /** Not started yet, and why. */
  waiting(reason: string, message: string): void;
  exited(exit: Exit): void;
}

/** Where requests and probes of a container go. */
export interface Target {
  /** `127.0.0.1:port`; with a handler a made-up authority. */
  readonly address: string;
  readonly handler?: Handler;
  /** True when the program has said itself that it accepts connections: the TCP probe is pointless. */
  readonly accepting: boolean;
}

/** One run under way. */
export interface Run {
  /** SIGTERM, then SIGKILL after `graceMs`; `exited` follows. Further calls shorten the grace. */
  stop(graceMs: number): void;
  /** Runs a command as the container does, for exec probes. Resolves with its exit code, rejects when it cannot be run. */
  exec(command: readonly string[], timeoutMs: number): Promise<number>;
}

/** Starts programs of one kind. `launch` reports failures as `exited`, it never throws. */
export interface Launcher<P extends Program = Program> {
  launch(request: Launch<P>, events: LaunchEvents): Run;
  close(): Promise<void>;
}

export type FunctionLauncher = Launcher<FunctionProgram>;

/** For runs that are no process of their own: there is nothing to run a command in. */
export function noExec(): Promise<number> {
  return Promise.reject(new Error('a function has no container to run commands in: use an HTTP probe or isolation process'));
}
