import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { createRestartBackoff, type RestartBackoff, type RestartBackoffOptions } from './backoff.ts';
import { unmappedMessage, type ImageMap, type Program } from './image-map.ts';
import type { Exit, Launch, LaunchEvents, Run, Target } from './launcher.ts';
import type { ContainerLog } from './log-store.ts';
import { createPathResolver, resolveEnvironment } from './paths.ts';
import { runProbe, type ProbeKind } from './probe-runner.ts';
import { networkProbe, type ProbeOutcome, type Prober } from './prober.ts';
import type { ContainerSpec, ContainerState, ContainerStatus, ContainerTerminated, ProbeSpec } from './runtime.ts';

/** What a container shares with the others of its instance and with the runtime. */
export interface ContainerContext {
  readonly instanceId: string;
  readonly namespace: string;
  readonly podName: string;
  readonly images: ImageMap;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly prober: Prober;
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly allowManifestCommands: boolean;
  readonly terminationGraceMs: number;
  readonly backoff: RestartBackoffOptions;
  /** Runs to its end once, and no restart after exit code 0. */
  readonly isInit: boolean;
  /** The instance has no other container. */
  readonly isAlone: boolean;
  launch(launch: Launch, events: LaunchEvents): Run;
  makeLog(container: string, program: Program | undefined): ContainerLog;
  volumePath(name: string): string | undefined;
  onChange(): void;
}

const defaultReadiness: ProbeSpec = { tcpSocket: { port: 0 }, successThreshold: 1 };
const messageBytesMax = 2_048;
const messageLinesMax = 80;

/** Runs one container of an instance: starts it, probes it, restarts it with back-off, and tells its status. */
export class ContainerRunner {
  readonly spec: ContainerSpec;
  readonly #context: ContainerContext;
  readonly #program: Program | undefined;
  readonly #backoff: RestartBackoff;
  #log: ContainerLog | undefined;
  #run: Run | undefined;
  #target: Target | undefined;
  #state: ContainerState = { kind: 'waiting', reason: 'ContainerCreating', message: '' };
  #lastTerminated: ContainerTerminated | undefined;
  #startedAtMs: number | undefined;
  /** The same, as the monotonic clock has it. */
  #probesFromMs = 0;
  #ready = false;
  #started = false;
  #restartCount = 0;
  #background = 0;
  #notes: string[] = [];
  #probes: Disposable[] = [];
  #restartTimer: Disposable | undefined;
  /** Set when a probe asked for the restart: why. */
  #killReason: string | undefined;
  #stopping = false;
  #stopped: (() => void)[] = [];

  constructor(spec: ContainerSpec, context: ContainerContext) {
    this.spec = spec;
    this.#context = context;
    this.#program = context.images.resolve(spec.image);
    this.#backoff = createRestartBackoff(context.backoff);
  }

  get isServing(): boolean {
    return (this.spec.ports ?? []).length > 0;
  }

  get background(): number {
    return this.#background;
  }

  get target(): Target | undefined {
    return this.#target;
  }

  get log(): ContainerLog | undefined {
    return this.#log;
  }

  get status(): ContainerStatus {
    return {
      name: this.spec.name,
      image: this.spec.image,
      state: this.#state,
      lastTerminated: this.#lastTerminated,
      ready: this.#ready,
      started: this.#started,
      restartCount: this.#restartCount,
      notes: this.#notes,
    };
  }

  /** Starts the container; what is in the way becomes its waiting state. */
  begin(): void {
    const { spec } = this;
    if (this.#program === undefined) {
      this.#wait('ImagePullBackOff', unmappedMessage(spec.image));
      return;
    }
    const refusal = commandRefusal(spec, this.#program, this.#context.allowManifestCommands);
    if (refusal !== undefined) {
      this.#wait('CreateContainerError', refusal);
      return;
    }
    try {
      this.#log ??= this.#context.makeLog(spec.name, this.#program);
    } catch (error) {
      this.#wait('CreateContainerError', messageOf(error));
      return;
    }
    this.#launch(this.#program, this.#log);
  }

  /** Stops it for good; resolves when its program has gone. */
  stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#restartTimer?.[Symbol.dispose]();
    this.#endProbes();
    this.#ready = false;
    const run = this.#run;
    if (run === undefined) {
      if (this.#state.kind === 'waiting') this.#terminateUnstarted();
      return Promise.resolve();
    }
    const gone = new Promise<void>((resolve) => {
      this.#stopped.push(resolve);
    });
    run.stop(graceMs);
    return gone;
  }

  /** SIGTERM with the probe's grace or the instance's, then a new run: what a failed liveness or startup probe leads to. */
  #restart(probe: ProbeSpec, reason: string): void {
    if (this.#run === undefined || this.#stopping || this.#killReason !== undefined) return;
    this.#killReason = reason;
    this.#endProbes();
    this.#ready = false;
    this.#context.logger.warn({ pod: this.#context.podName, container: this.spec.name, reason }, 'container is restarted');
    this.#context.onChange();
    const graceSeconds = probe.terminationGracePeriodSeconds;
    this.#run.stop(graceSeconds === undefined ? this.#context.terminationGraceMs : graceSeconds * 1_000);
  }

  #launch(program: Program, log: ContainerLog): void {
    const { spec } = this;
    const context = this.#context;
    const resolvePath = createPathResolver(program.paths, spec, (name) => context.volumePath(name));
    const launch: Launch = {
      instanceId: context.instanceId,
      podName: context.podName,
      namespace: context.namespace,
      container: spec,
      isAlone: context.isAlone,
      program,
      env: {
        ...context.baseEnv,
        HOSTNAME: context.podName,
        ...resolveEnvironment({ ...program.env, ...spec.env }, resolvePath),
      },
      log: log.open(),
      resolvePath,
    };
    this.#notes = [];
    this.#killReason = undefined;
    this.#startedAtMs = undefined;
    let ended = false;
    const events: LaunchEvents = {
      started: () => {
        if (!ended) this.#onStarted();
      },
      listening: (target) => {
        if (!ended) this.#onListening(target);
      },
      note: (text) => {
        if (!this.#notes.includes(text)) this.#notes = [...this.#notes, text];
        context.logger.warn({ pod: context.podName, container: spec.name, note: text }, 'instance deviates from its manifest');
      },
      background: (count) => {
        if (ended) return;
        this.#background = count;
        context.onChange();
      },
      waiting: (reason, message) => this.#wait(reason, message),
      exited: (exit) => {
        if (ended) return;
        ended = true;
        launch.log.close();
        this.#onExited(exit, log);
      },
    };
    this.#setRun(context.launch(launch, events), () => ended);
  }

  // A launcher may report the end before `launch` has returned.
  #setRun(run: Run, ended: () => boolean): void {
    if (!ended()) this.#run = run;
  }

  #onStarted(): void {
    this.#startedAtMs = this.#context.clock.now();
    this.#probesFromMs = this.#context.clock.monotonic();
    this.#state = { kind: 'running', startedAtMs: this.#startedAtMs };
    this.#started = this.spec.startupProbe === undefined;
    // Probes of a container with a port wait for its address.
    if (!this.isServing) this.#beginProbes();
    this.#context.onChange();
  }

  #onListening(target: Target): void {
    this.#target = target;
    this.#beginProbes();
    this.#context.onChange();
  }

  #onExited(exit: Exit, log: ContainerLog): void {
    const { clock, logger, podName, isInit } = this.#context;
    this.#endProbes();
    this.#run = undefined;
    this.#target = undefined;
    this.#background = 0;
    this.#ready = false;
    this.#started = false;
    const nowMs = clock.now();
    this.#state = {
      kind: 'terminated',
      exitCode: exit.exitCode,
      ...(exit.signal === undefined ? {} : { signal: exit.signal }),
      reason: exit.reason,
      message: this.#killReason ?? exit.message,
      startedAtMs: this.#startedAtMs,
      finishedAtMs: nowMs,
    };
    if (this.#stopping) {
      for (const resolve of this.#stopped.splice(0)) resolve();
      this.#context.onChange();
      return;
    }
    const isDone = isInit && exit.exitCode === 0;
    if (!isDone) {
      logger.warn(
        { pod: podName, container: this.spec.name, exitCode: exit.exitCode, reason: exit.reason },
        'container has ended',
      );
      this.#scheduleRestart(this.#startedAtMs === undefined ? 0 : nowMs - this.#startedAtMs);
    }
    this.#context.onChange();
    if (exit.exitCode !== 0 && this.#state.message === '') void this.#addLogTail(log, this.#state);
  }

  #scheduleRestart(ranMs: number): void {
    const waitMs = this.#backoff.next(ranMs);
    const { clock } = this.#context;
    const terminated = this.#state.kind === 'terminated' ? this.#state : undefined;
    this.#lastTerminated = terminated;
    if (waitMs > 0) {
      const text = `back-off ${waitMs / 1_000}s restarting failed container=${this.spec.name} pod=${this.#context.podName}_${this.#context.namespace}`;
      this.#state = { kind: 'waiting', reason: 'CrashLoopBackOff', message: text };
    }
    this.#restartTimer = clock.setTimer(waitMs, () => {
      this.#restartCount++;
      this.begin();
      this.#context.onChange();
    });
  }

  /** The end of the log explains a failure best (Knative's termination message policy). */
  async #addLogTail(log: ContainerLog, of: ContainerTerminated): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of log.read({ tailLines: messageLinesMax }, this.#context.clock, () => true)) chunks.push(chunk);
    const tail = Buffer.concat(chunks);
    const message = tail
      .subarray(Math.max(0, tail.length - messageBytesMax))
      .toString('utf8')
      .trimEnd();
    if (message === '') return;
    const known = { ...of, message };
    if (this.#state === of) this.#state = { kind: 'terminated', ...known };
    if (this.#lastTerminated?.finishedAtMs === of.finishedAtMs) this.#lastTerminated = known;
    this.#context.onChange();
  }

  #beginProbes(): void {
    this.#endProbes();
    const { startupProbe } = this.spec;
    if (startupProbe === undefined) {
      this.#beginSteadyProbes();
      return;
    }
    const startup = this.#probe(startupProbe, 'startup', (ok, message) => {
      if (!ok) this.#restart(startupProbe, `Container ${this.spec.name} failed startup probe: ${message}`);
      else if (!this.#started) {
        this.#started = true;
        this.#beginSteadyProbes();
        this.#context.onChange();
      }
    });
    this.#probes = [startup];
  }

  #beginSteadyProbes(): void {
    this.#endProbes();
    const { livenessProbe } = this.spec;
    const readinessProbe = this.spec.readinessProbe ?? (this.isServing ? defaultReadiness : undefined);
    if (livenessProbe !== undefined) {
      this.#probes.push(
        this.#probe(livenessProbe, 'liveness', (ok, message) => {
          if (!ok) this.#restart(livenessProbe, `Container ${this.spec.name} failed liveness probe: ${message}`);
        }),
      );
    }
    // A program that has said that it accepts connections passes the default check without a round trip.
    const isKnownReady =
      readinessProbe === undefined || (readinessProbe.tcpSocket !== undefined && this.#target?.accepting === true);
    if (isKnownReady) this.#setReady(true);
    else this.#probes.push(this.#probe(readinessProbe, 'readiness', (ok) => this.#setReady(ok)));
  }

  #setReady(ready: boolean): void {
    if (this.#ready === ready) return;
    this.#ready = ready;
    this.#context.onChange();
  }

  #probe(spec: ProbeSpec, kind: ProbeKind, onVerdict: (ok: boolean, message: string) => void): Disposable {
    return runProbe({
      spec,
      kind,
      clock: this.#context.clock,
      startedMs: this.#probesFromMs,
      onVerdict,
      attempt: (signal, timeoutMs) => this.#attempt(spec, kind === 'readiness' ? 'queue-proxy' : 'kubelet', signal, timeoutMs),
    });
  }

  async #attempt(
    spec: ProbeSpec,
    asker: 'queue-proxy' | 'kubelet',
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<ProbeOutcome> {
    if (spec.exec !== undefined) return this.#exec(spec.exec.command ?? [], timeoutMs);
    const request = networkProbe(spec, asker, { target: this.#target, ports: this.spec.ports ?? [] });
    if (request === undefined) return { ok: false, message: 'the probe names no port and the container has none' };
    return this.#context.prober.probe(request, signal);
  }

  async #exec(command: readonly string[], timeoutMs: number): Promise<ProbeOutcome> {
    const [first] = command;
    if (first === undefined) return { ok: false, message: 'the exec probe has no command' };
    const isAliased = this.#program !== undefined && hasAlias(this.#program, first);
    if (!isAliased && !this.#context.allowManifestCommands) {
      return { ok: false, message: `exec probe ${JSON.stringify(first)}: ${permissionHint(first)}` };
    }
    try {
      const exitCode = await this.#run?.exec(command, timeoutMs);
      return exitCode === 0 ? { ok: true } : { ok: false, message: `command ended with exit code ${exitCode}` };
    } catch (error) {
      return { ok: false, message: messageOf(error) };
    }
  }

  #wait(reason: string, message: string): void {
    this.#state = { kind: 'waiting', reason, message };
    this.#context.onChange();
  }

  #terminateUnstarted(): void {
    const finishedAtMs = this.#context.clock.now();
    this.#state =
      this.#lastTerminated === undefined
        ? {
            kind: 'terminated',
            exitCode: 0,
            reason: 'Completed',
            message: 'stopped before it had started',
            startedAtMs: undefined,
            finishedAtMs,
          }
        : { kind: 'terminated', ...this.#lastTerminated };
  }

  #endProbes(): void {
    for (const probe of this.#probes.splice(0)) probe[Symbol.dispose]();
  }
}

/** Why a container's own command may not run; `undefined` when it has none or it is permitted. */
function commandRefusal(spec: ContainerSpec, program: Program, allowed: boolean): string | undefined {
  const [first] = spec.command ?? [];
  if (first === undefined || program.kind === 'engine') return undefined;
  if (program.kind === 'function') return `image ${JSON.stringify(spec.image)} is a function module, which takes no command`;
  if (allowed || hasAlias(program, first)) return undefined;
  return `command ${JSON.stringify(spec.command)} of the manifest: ${permissionHint(first)}`;
}

function permissionHint(first: string): string {
  return `only mapped programs run: give the image's program an alias (paths: { ${JSON.stringify(first)}: './program' }) or set allowManifestCommands`;
}

function hasAlias(program: Program, path: string): boolean {
  return Object.keys(program.paths).some((from) => path === from || path.startsWith(from.endsWith('/') ? from : `${from}/`));
}
