import type { Deliver } from '../../functions/emit.ts';
import type { Meter } from '../../telemetry/meter.ts';
import type { Random } from '../../random.ts';
import type { LoadFunction } from './in-process-launcher.ts';

export interface InProcessLoaderOptions {
  /** Carries events of `context.emit`. Default: over sockets, to K_SINK. */
  readonly deliver?: Deliver | undefined;
  readonly random?: Random | undefined;
  readonly meter?: Meter | undefined;
}

/**
 * Makes functions of this process ready: loads a module or takes a function value and runs its init hook. The functions room is
 * imported on first use. Instances of one module share its module state, as the host has one module cache.
 */
export function createInProcessLoader(options: InProcessLoaderOptions = {}): LoadFunction {
  return async (module, context) => {
    const [{ createFunctionRuntime }, { loadFunction, definitionOf }, { isFunctionDefinition }] = await Promise.all([
      import('../../functions/function-runtime.ts'),
      import('../../functions/load-function.ts'),
      import('../../functions/define-function.ts'),
    ]);
    const definition = isFunctionDefinition(module)
      ? module
      : typeof module === 'function'
        ? definitionOf({ handle: module }, 'native')
        : (await loadFunction(module)).definition;
    const { clock, env, logger } = context;
    const sinks = options.deliver === undefined ? await createSinks() : undefined;
    const deliver = options.deliver ?? sinks?.deliver;
    const { random, meter } = options;
    const runtime = createFunctionRuntime(definition, {
      env,
      clock,
      logger,
      onBackground: context.onBackground,
      ...(deliver === undefined ? {} : { deliver }),
      ...(random === undefined ? {} : { random }),
      ...(meter === undefined ? {} : { meter }),
    });
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

async function createSinks(): Promise<{ deliver: Deliver; close(): Promise<void> }> {
  const { createSinkDeliverer } = await import('../../functions/sink-deliverer.ts');
  return createSinkDeliverer();
}
