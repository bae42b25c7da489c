import { KnativeError } from '../../errors.ts';
import type { Handler } from '../../http/exchange.ts';
import { ContainerRunner, type ContainerContext } from './container-runner.ts';
import type { ContainerStatus, Instance, InstanceSpec, InstanceStatus, LogOptions, VolumeFile } from './runtime.ts';

export interface InstanceParts {
  readonly spec: InstanceSpec;
  readonly context: Omit<ContainerContext, 'isInit' | 'onChange'>;
  updateVolume(name: string, files: readonly VolumeFile[]): void;
  /** Called once, after the last program has gone. */
  onStopped(): void;
}

const defaultStopGraceMs = 30_000;

/** The containers of one Pod, run together. */
export class PodInstance implements Instance {
  readonly id: string;
  readonly #parts: InstanceParts;
  readonly #init: readonly ContainerRunner[];
  readonly #main: readonly ContainerRunner[];
  readonly #listeners = new Set<() => void>();
  readonly #startedAtMs: number;
  #initIndex = 0;
  #mainBegun = false;
  #stopping: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: InstanceParts) {
    this.id = parts.spec.id;
    this.#parts = parts;
    this.#startedAtMs = parts.context.clock.now();
    const make = (isInit: boolean) => (spec: ContainerRunner['spec']) =>
      new ContainerRunner(spec, { ...parts.context, isInit, onChange: () => this.#changed() });
    this.#init = (parts.spec.initContainers ?? []).map(make(true));
    this.#main = parts.spec.containers.map(make(false));
  }

  begin(): void {
    this.#advance();
  }

  get #serving(): ContainerRunner | undefined {
    return this.#main.find((runner) => runner.isServing);
  }

  get address(): string | undefined {
    return this.#serving?.target?.address;
  }

  get backgroundWork(): number {
    return this.#main.reduce((sum, runner) => sum + runner.background, 0);
  }

  get handler(): Handler | undefined {
    return this.#serving?.target?.handler;
  }

  get status(): InstanceStatus {
    const containers = this.#main.map((runner) => runner.status);
    return {
      phase: this.#phase(containers),
      ready: this.#stopping === undefined && containers.length > 0 && containers.every(({ ready }) => ready),
      startedAtMs: this.#startedAtMs,
      containers,
      initContainers: this.#init.map((runner) => runner.status),
    };
  }

  onChange(listener: () => void): Disposable {
    // Wrapped, so that one function registered twice counts twice.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(entry);
      },
    };
  }

  logs(container?: string, options: LogOptions = {}): AsyncIterable<Uint8Array> {
    const runners = [...this.#main, ...this.#init];
    const runner = container === undefined ? (this.#serving ?? runners[0]) : runners.find(({ spec }) => spec.name === container);
    if (runner === undefined) {
      throw new KnativeError(
        'HOST_CONTAINER_UNKNOWN',
        `pod ${this.#parts.spec.podName} has no container ${JSON.stringify(container)}`,
        {
          status: 400,
          path: 'container',
          hint: `it has ${runners.map(({ spec }) => spec.name).join(', ')}`,
        },
      );
    }
    return runner.log?.read(options, this.#parts.context.clock, () => this.#stopped) ?? nothing();
  }

  updateVolume(name: string, files: readonly VolumeFile[]): void {
    this.#parts.updateVolume(name, files);
  }

  stop(graceMs: number = this.#parts.spec.terminationGraceMs ?? defaultStopGraceMs): Promise<void> {
    const stopped = Promise.all([...this.#main, ...this.#init].map((runner) => runner.stop(graceMs)));
    this.#stopping ??= stopped.then(() => {
      this.#stopped = true;
      this.#parts.onStopped();
      this.#changed();
    });
    this.#changed();
    return this.#stopping;
  }

  #phase(containers: readonly ContainerStatus[]): InstanceStatus['phase'] {
    if (this.#stopped) {
      const failed = containers.some(({ state }) => state.kind === 'terminated' && state.exitCode !== 0);
      return failed ? 'Failed' : 'Succeeded';
    }
    const hasRun = ({ state, restartCount, lastTerminated }: ContainerStatus): boolean =>
      state.kind !== 'waiting' || restartCount > 0 || lastTerminated !== undefined;
    return this.#mainBegun && containers.every(hasRun) ? 'Running' : 'Pending';
  }

  /** Starts the next init container, or the main ones when all have ended well. */
  #advance(): void {
    const next = this.#init[this.#initIndex];
    if (next !== undefined) {
      next.begin();
      return;
    }
    this.#mainBegun = true;
    for (const runner of this.#main) runner.begin();
  }

  #changed(): void {
    const current = this.#init[this.#initIndex]?.status.state;
    if (!this.#mainBegun && this.#stopping === undefined && current?.kind === 'terminated' && current.exitCode === 0) {
      this.#initIndex++;
      this.#advance();
    }
    for (const listener of this.#listeners) listener();
  }
}

async function* nothing(): AsyncIterable<Uint8Array> {
  // Nothing has run yet, so there is no log.
}
