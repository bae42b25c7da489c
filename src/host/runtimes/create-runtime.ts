import { noActivity, type Activity } from '../../activity.ts';
import { realClock, type Clock } from '../../clock.ts';
import { KnativeError } from '../../errors.ts';
import { silentLogger, type Logger } from '../../logger.ts';
import type { Random } from '../../random.ts';
import type { RestartBackoffOptions } from './backoff.ts';
import type { ImageMap, Program } from './image-map.ts';
import { createInProcessLauncher, type LoadFunction } from './in-process-launcher.ts';
import { PodInstance } from './instance.ts';
import { createLauncherSet } from './launcher-set.ts';
import { createFileLogs, createMemoryLogs } from './log-store.ts';
import { createInProcessLoader, prepareInProcessLoader, type InProcessLoaderOptions } from './load-in-process.ts';
import type { Prober } from './prober.ts';
import type { ContainerSpec, InstanceSpec, Runtime } from './runtime.ts';
import { createSocketProber } from './socket-prober.ts';
import { createVolumes, type Volumes } from './volumes.ts';

export interface RuntimeOptions {
  /** Which program runs for which image; see `createImageMap`. */
  readonly images: ImageMap;
  /** Absolute folder for logs, volumes and process records. Default: a temporary one, made on first use and removed by `close`; then nothing left by a killed host is found. */
  readonly dataDir?: string;
  /** Lets the `command` of manifests and exec probes run anything. Default false: only mapped programs and their aliases. */
  readonly allowManifestCommands?: boolean;
  /** What every program gets besides its own environment. Default PATH and HOME of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Worker threads and function processes kept ready for the next start. Default 1 of each kind that the image map needs; 0 for none. */
  readonly spares?: number;
  /** Waits between restarts; default 10 s doubling to 5 min. */
  readonly restartBackoff?: RestartBackoffOptions;
  /** Bytes of a container's log that are kept. Default 10 MiB. */
  readonly logBytesMax?: number;
  /** Whether memory limits use Linux control groups where permitted. Default true. */
  readonly controlGroups?: boolean;
  /** Whether programs with a fixed port get network namespaces of their own where permitted. Default true. */
  readonly networkNamespaces?: boolean;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly activity?: Activity;
  /** How readiness and liveness are asked; default over sockets. */
  readonly prober?: Prober;
  /** Carries events that functions of this process emit; default over sockets, to K_SINK. */
  readonly deliver?: InProcessLoaderOptions['deliver'];
  readonly meter?: InProcessLoaderOptions['meter'];
  /** How functions of this process are made ready; default `createInProcessLoader`. */
  readonly loadFunction?: LoadFunction;
  /** Entry modules of worker threads and function processes; default the package's own. */
  readonly entries?: { readonly worker?: URL; readonly process?: URL };
}

const defaultLogBytesMax = 10 * 1024 * 1024;
const defaultTerminationGraceMs = 30_000;
const defaultCloseGraceMs = 10_000;
const logCheckMs = 10_000;
const stoppedLogsMax = 50;

/** Starts a runtime: reaps what a killed host left in `dataDir`, then makes ready what starts fast later. */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { images, clock = realClock, logger = silentLogger, activity = noActivity } = options;
  const limits = { bytesMax: options.logBytesMax ?? defaultLogBytesMax };
  const folder = createFolder(options.dataDir);
  const inProcess = createInProcessLauncher({ clock, activity, load: options.loadFunction ?? createInProcessLoader(options) });
  const prober = options.prober ?? createSocketProber();
  const baseEnv = options.environment ?? defaultEnvironment();
  const launchers = createLauncherSet({ ...options, clock, logger, folder, inProcess, environment: baseEnv });
  await launchers.reaped;
  const isInProcess = (program: Program): boolean => program.kind === 'function' && program.isolation === 'in-process';
  if (options.loadFunction === undefined && images.programs.some(isInProcess)) await prepareInProcessLoader();
  const instances = new Map<string, PodInstance>();
  const openLogs = new Set<ReturnType<typeof createFileLogs>>();
  const stoppedLogs: (() => void)[] = [];
  let logTimer: Disposable | undefined;
  let closing: Promise<void> | undefined;

  const checkLogs = (): void => {
    for (const log of openLogs) log.limit();
    logTimer = openLogs.size === 0 ? undefined : clock.setTimer(logCheckMs, checkLogs);
  };

  function start(spec: InstanceSpec): PodInstance {
    if (closing !== undefined) throw new KnativeError('HOST_RUNTIME_CLOSED', 'the runtime has been closed');
    if (instances.has(spec.id)) throw new KnativeError('HOST_INSTANCE_EXISTS', `instance ${spec.id} has been started already`);
    if (!/^[\w.-]{1,200}$/.test(spec.id) || spec.id.startsWith('.')) {
      throw new KnativeError('HOST_INSTANCE_ID_INVALID', `instance id ${JSON.stringify(spec.id)} is not safe as a file name`, {
        path: 'id',
      });
    }
    let volumes: Volumes | undefined;
    const ownLogs: ReturnType<typeof createFileLogs>[] = [];
    const volumesOf = (): Volumes => (volumes ??= createVolumes(folder.path('volumes', spec.id), spec.volumes ?? []));
    const makeLog = (container: string, program: Program | undefined): ReturnType<typeof createFileLogs> => {
      const isInMemory = program?.kind === 'function' && program.isolation === 'in-process';
      const log = isInMemory ? createMemoryLogs(limits) : createFileLogs(folder.path('logs', spec.id, container), limits);
      ownLogs.push(log);
      if (!isInMemory) {
        openLogs.add(log);
        logTimer ??= clock.setTimer(logCheckMs, checkLogs);
      }
      return log;
    };
    const instance = new PodInstance({
      spec,
      context: {
        instanceId: spec.id,
        namespace: spec.namespace,
        podName: spec.podName,
        isAlone: spec.containers.length === 1,
        images,
        clock,
        logger,
        prober,
        baseEnv,
        allowManifestCommands: options.allowManifestCommands ?? false,
        terminationGraceMs: spec.terminationGraceMs ?? defaultTerminationGraceMs,
        backoff: options.restartBackoff ?? {},
        launch: (launch, events) => launchers.launch(launch, events),
        makeLog,
        volumePath: (name) => ((spec.volumes ?? []).length === 0 ? undefined : volumesOf().path(name)),
      },
      updateVolume: (name, files) => volumesOf().update(name, files),
      onStopped() {
        instances.delete(spec.id);
        volumes?.remove();
        for (const log of ownLogs) openLogs.delete(log);
        // Logs of the last stopped instances stay readable: they say why something went.
        stoppedLogs.push(() => {
          for (const log of ownLogs) log.remove();
          folder.remove('logs', spec.id);
        });
        if (stoppedLogs.length > stoppedLogsMax) stoppedLogs.shift()?.();
      },
    });
    instances.set(spec.id, instance);
    instance.begin();
    return instance;
  }

  const close = (graceMs = defaultCloseGraceMs): Promise<void> => {
    closing ??= (async () => {
      logTimer?.[Symbol.dispose]();
      await Promise.all([...instances.values()].map((instance) => instance.stop(graceMs)));
      await launchers.close();
      for (const remove of stoppedLogs.splice(0)) remove();
      folder.close();
    })();
    return closing;
  };
  return {
    start,
    instancesMax: (containers: readonly ContainerSpec[]) => launchers.instancesMax(containers),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

/** Folders under the data folder; a temporary one when none was given. */
export interface DataFolder {
  /** True when it outlives the host, so that records in it are worth keeping. */
  readonly isDurable: boolean;
  path(...parts: readonly string[]): string;
  remove(...parts: readonly string[]): void;
  close(): void;
}

function createFolder(dataDir: string | undefined): DataFolder {
  const fs = process.getBuiltinModule('node:fs');
  let root = dataDir;
  const rootPath = (): string => {
    root ??= fs.mkdtempSync(`${process.getBuiltinModule('node:os').tmpdir()}/knative-embed-`);
    return root;
  };
  return {
    isDurable: dataDir !== undefined,
    path: (...parts) => [rootPath(), ...parts].join('/'),
    remove(...parts) {
      if (root !== undefined) fs.rmSync([root, ...parts].join('/'), { recursive: true, force: true });
    },
    close() {
      if (dataDir === undefined && root !== undefined) fs.rmSync(root, { recursive: true, force: true });
    },
  };
}

function defaultEnvironment(): Record<string, string> {
  const names = process.platform === 'win32' ? ['PATH', 'USERPROFILE', 'SystemRoot', 'TEMP'] : ['PATH', 'HOME'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}
