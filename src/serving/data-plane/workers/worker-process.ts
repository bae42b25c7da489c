import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../../../clock.ts';
import { KnativeError } from '../../../errors.ts';
import type { WorkerCommand, WorkerDone, WorkerEvent } from './messages.ts';
import { within } from './within.ts';

/** A command that the worker answers, without its number. */
type Question = WorkerCommand extends infer C ? (C extends { readonly id: number } ? Omit<C, 'id'> : never) : never;

export interface WorkerProcessOptions {
  readonly index: number;
  /** The program of a worker. */
  readonly entry: URL;
  readonly clock: Clock;
  readonly onEvent: (event: Exclude<WorkerEvent, WorkerDone>) => void;
  /** Called once, when the process has ended. */
  readonly onExit: (code: number | null) => void;
}

/** One process of the data plane, as its owner sees it. */
export class WorkerProcess {
  readonly index: number;
  /** Where other processes of the data plane reach it; set by whoever starts it. */
  internalAddress = '';
  readonly #process: ChildProcess;
  readonly #clock: Clock;
  readonly #exited: Promise<void>;
  readonly #pending = new Map<number, (done: WorkerDone | undefined) => void>();
  #lastId = 0;
  #alive = true;

  constructor({ index, entry, clock, onEvent, onExit }: WorkerProcessOptions) {
    const { fork } = process.getBuiltinModule('node:child_process');
    const { fileURLToPath } = process.getBuiltinModule('node:url');
    this.index = index;
    this.#clock = clock;
    this.#process = fork(fileURLToPath(entry), [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exited = promise;
    this.#process.on('message', (message) => {
      const event = message as WorkerEvent;
      if (event.type !== 'done') {
        onEvent(event);
        return;
      }
      this.#pending.get(event.id)?.(event);
      this.#pending.delete(event.id);
    });
    this.#process.once('error', () => this.#process.kill('SIGKILL'));
    this.#process.once('exit', (code) => {
      this.#alive = false;
      for (const answer of this.#pending.values()) answer(undefined);
      this.#pending.clear();
      resolve();
      onExit(code);
    });
  }

  send(command: WorkerCommand): void {
    // A worker that ends meanwhile is reported by its exit.
    if (this.#alive && this.#process.connected) this.#process.send(command, () => undefined);
  }

  /** The answer; `undefined` when the worker has ended before it. */
  ask(question: Question): Promise<WorkerDone | undefined> {
    if (!this.#alive || !this.#process.connected) return Promise.resolve(undefined);
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      this.send({ ...question, id } as WorkerCommand);
    });
  }

  /** The answer to a command that has to succeed; rejects with the worker's error. */
  async order(question: Question): Promise<WorkerDone> {
    const done = await this.ask(question);
    if (done === undefined)
      throw new KnativeError('SERVING_WORKER_FAILED', `data-plane worker ${this.index} ended before it was ready`);
    if (done.error !== undefined) throw new KnativeError(done.error.code, done.error.message);
    return done;
  }

  /** Lets requests finish for at most `graceMs`, then ends the process. */
  async close(graceMs: number): Promise<void> {
    if (!this.#alive) return;
    this.send({ type: 'close', graceMs });
    await within(this.#clock, graceMs + 1_000, this.#exited);
    this.#process.kill('SIGKILL');
    await this.#exited;
  }
}
