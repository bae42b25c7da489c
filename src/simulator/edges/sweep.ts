import type { Worker } from 'node:worker_threads';
import { KnativeError } from '../../errors.ts';
import { wholeIn } from '../fault.ts';
import { combinations, describeParameters, type ParameterGrid, type Parameters, type SweepResult } from '../grid.ts';
import type { SimulationOptions } from '../options.ts';
import { runSweepJob, type SweepAnswer, type SweepRequest, type SweepSource } from './sweep-job.ts';

export interface SweepOptions {
  /** Options that the parameters change, as `applyParameters` says. Without a policy of one's own they are data and go to threads. */
  readonly base?: Omit<SimulationOptions, 'onProgress'>;
  /** Instead: a module (URL or absolute path) whose export `scenario(parameters)` gives the options, policies of one's own included. */
  readonly module?: URL | string;
  readonly parameters: ParameterGrid;
  /** Threads. Default: one per core that this process may use. With 1 everything runs in this thread. */
  readonly threads?: number;
  /** Told after each run. */
  readonly onResult?: (result: SweepResult, done: number, all: number) => void;
  readonly signal?: AbortSignal;
}

/** Runs every combination of the parameters, on all cores; results are in the order of the combinations. */
export async function sweep(options: SweepOptions): Promise<readonly SweepResult[]> {
  const all = combinations(options.parameters);
  const source = sourceOf(options);
  const os = process.getBuiltinModule('node:os');
  const threads = wholeIn(options.threads ?? os.availableParallelism(), 'threads', 1, 1_024);
  if (threads > 1 && all.length > 1) return new SweepPool(source, all, options).run(Math.min(threads, all.length));
  const results: SweepResult[] = [];
  for (const parameters of all) {
    options.signal?.throwIfAborted();
    const result = await runSweepJob({ source, parameters });
    results.push(result);
    options.onResult?.(result, results.length, all.length);
  }
  return results;
}

function sourceOf({ base, module }: SweepOptions): SweepSource {
  if (module !== undefined && base === undefined) {
    const { pathToFileURL } = process.getBuiltinModule('node:url');
    const text = String(module);
    return { module: text.startsWith('/') ? pathToFileURL(text).href : text };
  }
  if (base !== undefined && module === undefined) return { base };
  throw new KnativeError('SIMULATOR_INVALID_OPTION', 'a sweep needs either base or module', { path: 'base' });
}

class SweepPool {
  readonly #source: SweepSource;
  readonly #all: readonly Parameters[];
  readonly #options: SweepOptions;
  readonly #results: SweepResult[] = [];
  #next = 0;
  #done = 0;

  constructor(source: SweepSource, all: readonly Parameters[], options: SweepOptions) {
    this.#source = source;
    this.#all = all;
    this.#options = options;
  }

  async run(threads: number): Promise<readonly SweepResult[]> {
    const threadsModule = process.getBuiltinModule('node:worker_threads');
    const workers = Array.from({ length: threads }, () => new threadsModule.Worker(workerUrl()));
    try {
      await Promise.all(workers.map((worker) => this.#drive(worker)));
      return this.#results;
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
  }

  #drive(worker: Worker): Promise<void> {
    const { signal } = this.#options;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal?.reason as Error);
      signal?.throwIfAborted();
      signal?.addEventListener('abort', onAbort, { once: true });
      worker.on('error', reject);
      worker.on('exit', () => reject(new KnativeError('SIMULATOR_SWEEP', 'a thread of the sweep ended before its work')));
      worker.on('message', (answer: SweepAnswer) => {
        if ('error' in answer) reject(jobFault(answer.error, this.#all[answer.index] ?? {}));
        else {
          this.#results[answer.index] = answer.result;
          this.#options.onResult?.(answer.result, ++this.#done, this.#all.length);
          this.#give(worker, resolve);
        }
      });
      this.#give(worker, resolve);
    });
  }

  #give(worker: Worker, over: () => void): void {
    const index = this.#next++;
    const parameters = this.#all[index];
    if (parameters === undefined) return over();
    try {
      worker.postMessage({ source: this.#source, parameters, index } satisfies SweepRequest);
    } catch (cause) {
      throw new KnativeError('SIMULATOR_NOT_DATA', 'base has a function, which cannot go to another thread', {
        cause,
        path: 'base',
        hint: 'give module instead of base, or threads: 1',
      });
    }
  }
}

function jobFault(message: string, parameters: Parameters): KnativeError {
  return new KnativeError('SIMULATOR_SWEEP', `${describeParameters(parameters)}: ${message}`);
}

// From the sources the worker lies beside this file; in the package files of all folders are bundled into dist/.
function workerUrl(): URL {
  const here = import.meta.url;
  return here.endsWith('.ts')
    ? new URL('./sweep-worker.ts', here)
    : new URL('./simulator/edges/sweep-worker.js', distFolder(here));
}

function distFolder(url: string): string {
  const at = url.lastIndexOf('/dist/');
  return at < 0 ? url : url.slice(0, at + '/dist/'.length);
}
