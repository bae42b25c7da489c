import type { LoadFunction } from './in-process-launcher.ts';

/** Loads a module or takes a function value, by the functions module, which is imported on first use. */
export const loadInProcess: LoadFunction = async (module, context) => {
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
  const runtime = createFunctionRuntime(definition, { env: context.env, clock: context.clock, logger: context.logger });
  await runtime.start();
  return { handler: runtime.handler, close: () => runtime.close() };
};
