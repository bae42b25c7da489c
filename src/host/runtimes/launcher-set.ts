import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';
import type { DataFolder, RuntimeOptions } from './create-runtime.ts';
import type { Program } from './image-map.ts';
import type { FunctionLauncher, Launch, LaunchEvents, Run } from './launcher.ts';
import { createMemoryGuard } from './memory-guard.ts';
import { createPortAllocator } from './ports.ts';
import { createProcessLauncher } from './process-launcher.ts';
import { createProcessTable, type ProcessTable } from './process-table.ts';
import type { ContainerSpec } from './runtime.ts';
import { createWorkerLauncher } from './worker-launcher.ts';

/** The launchers of a runtime, each made when the first program of its kind needs it. */
export interface LauncherSet {
  launch(launch: Launch, events: LaunchEvents): Run;
  instancesMax(containers: readonly ContainerSpec[]): { readonly max: number; readonly reason: string } | undefined;
  close(): Promise<void>;
}

export interface LauncherSetOptions extends Omit<RuntimeOptions, 'clock' | 'logger'> {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly folder: DataFolder;
  readonly inProcess: FunctionLauncher;
}

const noTable: ProcessTable = { add: () => undefined, remove: () => undefined, reap: () => 0 };

export async function createLauncherSet(options: LauncherSetOptions): Promise<LauncherSet> {
  const { clock, folder, images } = options;
  const table = folder.isDurable ? createProcessTable(folder.path('processes')) : noTable;
  table.reap(options.logger);
  const memory = createMemoryGuard({ clock });
  const commands = createProcessLauncher({ clock, table, memory, ports: createPortAllocator(options.random) });
  let workers: FunctionLauncher | undefined;
  const workerLauncher = (): FunctionLauncher =>
    (workers ??= createWorkerLauncher({
      clock,
      entry: options.entries?.worker ?? entryUrl('worker-entry'),
      spares: options.spares ?? 1,
    }));
  const isWorker = (program: Program): boolean => program.kind === 'function' && program.isolation === 'worker';
  if (images.programs.some(isWorker)) workerLauncher();
  await Promise.resolve();

  return {
    launch(launch, events) {
      const { program } = launch;
      switch (program.kind) {
        case 'command':
          return commands.launch({ ...launch, program }, events);
        case 'engine':
          throw new Error('unreachable');
        case 'function':
          return (program.isolation === 'in-process' ? options.inProcess : workerLauncher()).launch(
            { ...launch, program },
            events,
          );
      }
    },
    instancesMax(containers) {
      for (const { image } of containers) {
        const program = images.resolve(image);
        if (program?.kind !== 'command' || program.port === undefined) continue;
        return { max: 1, reason: `image ${image} listens on port ${program.port} only` };
      }
      return undefined;
    },
    async close() {
      await workers?.close();
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
