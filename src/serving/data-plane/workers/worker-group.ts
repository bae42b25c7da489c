import type { Clock } from '../../../clock.ts';
import { KnativeError, messageOf } from '../../../errors.ts';
import { createHttpServer } from '../../../http/index.ts';
import type { Logger } from '../../../logger.ts';
import type { WorkerCommand, WorkerDone, WorkerEvent, WorkerPorts } from './messages.ts';
import { within } from './within.ts';
import { WorkerProcess } from './worker-process.ts';

/** Wait before a worker that never got ready is replaced. */
const restartMs = 1_000;
/** Wait for an answer beyond what the command itself takes. */
const answerMs = 1_000;

export interface WorkerGroupOptions {
  readonly workers: number;
  /** The program of a worker. */
  readonly entry: URL;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The first command of each worker. */
  readonly start: () => Omit<Extract<WorkerCommand, { type: 'start' }>, 'id'>;
  readonly onEvent: (worker: WorkerProcess, event: Exclude<WorkerEvent, WorkerDone>) => void;
  /** A worker runs: it knows nothing yet. */
  readonly onReady: (worker: WorkerProcess) => void;
  /** A worker that was ready has ended. */
  readonly onLost: (worker: WorkerProcess) => void;
}

/** The processes of a data plane and the ports that they share. One that ends unasked is replaced. */
export class WorkerGroup {
  readonly #options: WorkerGroupOptions;
  readonly #processes = new Set<WorkerProcess>();
  readonly #ready = new Map<number, WorkerProcess>();
  /** Those that have come to do all that they are there for. */
  readonly #settled = new WeakSet<WorkerProcess>();
  #ports: WorkerPorts | undefined;
  #starting: Promise<void> | undefined;
  #running = false;
  #closing: Promise<void> | undefined;

  constructor(options: WorkerGroupOptions) {
    this.#options = options;
  }

  /** Those that take orders now, in the order of their indices. */
  living(): readonly WorkerProcess[] {
    return [...this.#ready.values()].sort((a, b) => a.index - b.index);
  }

  get(index: number): WorkerProcess | undefined {
    return this.#ready.get(index);
  }

  send(command: WorkerCommand): void {
    for (const worker of this.#ready.values()) worker.send(command);
  }

  /** Resolves when all are ready; ends all of them and throws SERVING_WORKER_FAILED when one is not. */
  start(): Promise<void> {
    this.#starting ??= (async () => {
      const { workers } = this.#options;
      if (this.#closing !== undefined) throw new KnativeError('SERVING_WORKER_FAILED', 'the data plane has been closed');
      const prepared = Array.from({ length: workers }, (_, index) => this.#prepare(this.#spawn(index)));
      try {
        await Promise.all(prepared);
        if (this.#ready.size < workers)
          throw new KnativeError('SERVING_WORKER_FAILED', 'a data-plane worker ended while others started');
        this.#running = true;
      } catch (error) {
        await this.close(0);
        throw error;
      }
    })();
    return this.#starting;
  }

  /** Opens the ports in all workers, or in none. Returns them with the numbers that the system has chosen. */
  async listen(wanted: WorkerPorts): Promise<WorkerPorts> {
    await this.start();
    await this.#expectFree(wanted);
    let ports = wanted;
    try {
      // One after the other: the first one's ports are everybody's.
      for (const worker of this.living()) {
        const { ports: opened } = await worker.order({ type: 'listen', ports });
        const { host, tls } = ports;
        if (opened !== undefined)
          ports = { host, port: opened.port, ...(tls === undefined ? {} : { tls: { ...tls, port: opened.tls ?? 0 } }) };
        // One that is replaced meanwhile joins by itself.
        this.#ports = ports;
      }
    } catch (error) {
      await this.unlisten(0);
      throw error;
    }
    return ports;
  }

  async unlisten(graceMs: number): Promise<void> {
    this.#ports = undefined;
    const closed = this.living().map((worker) => worker.ask({ type: 'unlisten', graceMs }));
    await within(this.#options.clock, graceMs + answerMs, Promise.all(closed));
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= Promise.all([...this.#processes].map((worker) => worker.close(graceMs))).then(() => undefined);
    return this.#closing;
  }

  /** A shared port is open to any process of the user: without this two data planes would share requests as well. */
  async #expectFree({ host, port, tls }: WorkerPorts): Promise<void> {
    for (const wanted of [port, tls?.port ?? 0]) {
      if (wanted === 0) continue;
      const alone = createHttpServer({ handler: () => undefined, host, port: wanted });
      await alone.listen();
      await alone.close(0);
    }
  }

  #spawn(index: number): WorkerProcess {
    const { entry, clock, onEvent } = this.#options;
    const worker: WorkerProcess = new WorkerProcess({
      index,
      entry,
      clock,
      onEvent: (event) => onEvent(worker, event),
      onExit: (code) => this.#ended(worker, code),
    });
    this.#processes.add(worker);
    return worker;
  }

  async #prepare(worker: WorkerProcess): Promise<void> {
    const { internalPort = 0 } = await worker.order(this.#options.start());
    worker.internalAddress = `127.0.0.1:${internalPort}`;
    this.#ready.set(worker.index, worker);
    this.#settled.add(worker);
    this.#options.onReady(worker);
  }

  #ended(worker: WorkerProcess, code: number | null): void {
    const { index } = worker;
    const { clock, logger, onLost } = this.#options;
    this.#processes.delete(worker);
    if (this.#ready.get(index) === worker) {
      this.#ready.delete(index);
      onLost(worker);
    }
    if (!this.#running || this.#closing !== undefined) return;
    logger.error({ worker: index, code }, 'data-plane worker ended; starting another one');
    if (this.#settled.has(worker)) void this.#replace(index);
    else clock.setTimer(restartMs, () => void this.#replace(index));
  }

  async #replace(index: number): Promise<void> {
    if (this.#closing !== undefined) return;
    const worker = this.#spawn(index);
    try {
      await this.#prepare(worker);
      if (this.#ports !== undefined) await worker.order({ type: 'listen', ports: this.#ports });
    } catch (error) {
      // Its end brings the next try, after a while.
      this.#settled.delete(worker);
      this.#options.logger.error({ worker: index, error: messageOf(error) }, 'data-plane worker did not start; trying again');
      await worker.close(0);
    }
  }
}
