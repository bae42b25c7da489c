import { isFunctionDefinition } from '../../functions/define-function.ts';
import type { Deliver } from '../../functions/emit.ts';
import type { createFunctionRuntime } from '../../functions/function-runtime.ts';
import type { definitionOf, loadFunction } from '../../functions/load-function.ts';
import type { createSinkDeliverer } from '../../functions/sink-deliverer.ts';
import type { Meter } from '../../telemetry/meter.ts';
import type { Random } from '../../random.ts';
import type { LoadFunction } from './in-process-launcher.ts';

export interface InProcessLoaderOptions {
  /** Carries events of `context.emit`. Default: over sockets, to K_SINK. */
  readonly deliver?: Deliver | undefined;
  readonly random?: Random | undefined;
  readonly meter?: Meter | undefined;
}

interface FunctionsRoom {
  readonly createFunctionRuntime: typeof createFunctionRuntime;
  readonly loadFunction: typeof loadFunction;
  readonly definitionOf: typeof definitionOf;
  readonly createSinkDeliverer: typeof createSinkDeliverer;
}

// Kept, because even an import of what is loaded already takes turns of the event loop from a start.
let room: FunctionsRoom | undefined;

/** Imports the functions room, so that the first start finds it there. */
export async function prepareInProcessLoader(): Promise<FunctionsRoom> {
  const [runtime, loader, sinks] = await Promise.all([
    import('../../functions/function-runtime.ts'),
    import('../../functions/load-function.ts'),
    import('../../functions/sink-deliverer.ts'),
  ]);
  room = {
    createFunctionRuntime: runtime.createFunctionRuntime,
    loadFunction: loader.loadFunction,
    definitionOf: loader.definitionOf,
    createSinkDeliverer: sinks.createSinkDeliverer,
  };
  return room;
}

/**
 * Makes functions of this process ready: loads a module or takes a function value and runs its init hook. The functions room is
 * imported on first use. Instances of one module share its module state, as the host has one module cache.
 */
export function createInProcessLoader(options: InProcessLoaderOptions = {}): LoadFunction {
  return async (module, context) => {
    const { clock, env, logger, activity } = context;
    const functions = room ?? (await activity.track(prepareInProcessLoader()));
    const definition = isFunctionDefinition(module)
      ? module
      : typeof module === 'function'
        ? functions.definitionOf({ handle: module }, 'native')
        : (await activity.track(functions.loadFunction(module))).definition;
    const sinks = options.deliver === undefined ? functions.createSinkDeliverer() : undefined;
    const deliver = options.deliver ?? sinks?.deliver;
    const { random, meter } = options;
    const runtime = functions.createFunctionRuntime(definition, {
      env,
      clock,
      logger,
      onBackground: context.onBackground,
      ...(deliver === undefined ? {} : { deliver }),
      ...(random === undefined ? {} : { random }),
      ...(meter === undefined ? {} : { meter }),
    });
    // Not counted as activity: the init hook may wait for the clock, which would then never move.
    await runtime.start();
    return {
      handler: runtime.handler,
      async close() {
        await runtime.close();
        await sinks?.close();
      },
    };
  };
}
