import type { Clock } from '../../clock.ts';
import type { Rehearsal } from '../../functions/rehearse.ts';
import type { Logger } from '../../logger.ts';
import type { DataFolder, RuntimeOptions } from './create-runtime.ts';
import type { Isolation, Program } from './image-map.ts';
import { createEngineLauncher } from './engine-launcher.ts';
import { createFunctionProcessLauncher } from './function-process-launcher.ts';
import type { FunctionLauncher, Launch, LaunchEvents, Run } from './launcher.ts';
import { createMemoryGuard } from './memory-guard.ts';
import { createNetworkNamespace, mayMakeNetworkNamespaces, type NetworkNamespace } from './network-namespace.ts';
import { systemRandom } from '../../random.ts';
import { createPortAllocator } from './ports.ts';
import { createProcessLauncher } from './process-launcher.ts';
import { createProcessTable, type ProcessTable } from './process-table.ts';
import type { ContainerSpec } from './runtime.ts';
import { createWorkerLauncher } from './worker-launcher.ts';

/** The launchers of a runtime, each made when the first program of its kind needs it. */
export interface LauncherSet {
  /** Resolves when what an earlier host left behind has gone. */
  readonly reaped: Promise<void>;
  launch(launch: Launch, events: LaunchEvents): Run;
  instancesMax(containers: readonly ContainerSpec[]): { readonly max: number; readonly reason: string } | undefined;
  close(): Promise<void>;
}

export interface LauncherSetOptions extends Omit<RuntimeOptions, 'clock' | 'logger' | 'environment'> {
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly folder: DataFolder;
  readonly inProcess: FunctionLauncher;
}

const noTable: ProcessTable = { add: () => undefined, remove: () => undefined, reap: () => Promise.resolve() };

export function createLauncherSet(options: LauncherSetOptions): LauncherSet {
  const { clock, folder, images } = options;
  const table = folder.isDurable ? createProcessTable(folder.path('processes')) : noTable;
  const reaped = table.reap(options.logger, clock);
  const memory = createMemoryGuard({ clock, controlGroups: options.controlGroups ?? true });
  const ports = createPortAllocator(options.random);
  const shared = { clock, table, memory, ports };
  const makeNamespace = (): Promise<NetworkNamespace | undefined> =>
    options.networkNamespaces === false ? Promise.resolve(undefined) : createNetworkNamespace(options.random ?? systemRandom);
  const commands = createProcessLauncher({ ...shared, makeNamespace, compileCacheDir: () => folder.path('compile-cache') });
  const engines = createEngineLauncher({ ...shared, environment: stringsOf(process.env) });
  const rehearsal = (): Rehearsal => ({
    typescript: hasTypeScript(images.programs),
    compileCacheDir: folder.path('compile-cache'),
  });
  let workers: FunctionLauncher | undefined;
  let processes: FunctionLauncher | undefined;
  const workerLauncher = (): FunctionLauncher =>
    (workers ??= createWorkerLauncher({
      clock,
      entry: options.entries?.worker ?? entryUrl('worker-entry'),
      spares: options.spares ?? 1,
      rehearsal: rehearsal(),
    }));
  const processLauncher = (): FunctionLauncher =>
    (processes ??= createFunctionProcessLauncher({
      ...shared,
      entry: options.entries?.process ?? entryUrl('process-entry'),
      spares: options.spares ?? 1,
      rehearsal: rehearsal(),
      spareLogs: folder.path('logs', 'spares'),
      environment: options.environment,
    }));
  const functionLaunchers: Readonly<Record<Isolation, () => FunctionLauncher>> = {
    worker: workerLauncher,
    process: processLauncher,
    'in-process': () => options.inProcess,
  };
  // Made now, so that their spares are there before the first request is.
  for (const program of images.programs) if (program.kind === 'function') functionLaunchers[program.isolation]();

  return {
    reaped,
    launch(launch, events) {
      const { program } = launch;
      switch (program.kind) {
        case 'command':
          return commands.launch({ ...launch, program }, events);
        case 'engine':
          return engines.launch({ ...launch, program }, events);
        case 'function':
          return functionLaunchers[program.isolation]().launch({ ...launch, program }, events);
      }
    },
    instancesMax(containers) {
      for (const { image } of containers) {
        const program = images.resolve(image);
        if (program?.kind !== 'command' || program.port === undefined) continue;
        if (containers.length === 1 && options.networkNamespaces !== false && mayMakeNetworkNamespaces()) continue;
        return {
          max: 1,
          reason: `image ${image} listens on port ${program.port} only, and gets no network stack of its own here`,
        };
      }
      return undefined;
    },
    async close() {
      await workers?.close();
      await processes?.close();
      await commands.close();
      memory[Symbol.dispose]();
    },
  };
}

/** An entry module of the functions room: beside this file's room in the sources, at the top of the build. */
function entryUrl(name: string): URL {
  const { existsSync } = process.getBuiltinModule('node:fs');
  const here = new URL(import.meta.url);
  const extension = here.pathname.endsWith('.ts') ? '.ts' : '.js';
  for (let up = './'; up.length < 20; up += '../') {
    const url = new URL(`${up}functions/${name}${extension}`, here);
    if (existsSync(url)) return url;
  }
  return new URL(`./functions/${name}${extension}`, here);
}

function hasTypeScript(programs: readonly Program[]): boolean {
  return programs.some(
    (program) => program.kind === 'function' && typeof program.module === 'string' && /\.[mc]?ts$/.test(program.module),
  );
}

function stringsOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
