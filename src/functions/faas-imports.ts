let redirected = false;

// What faas-js-runtime's type declarations export beside `start` and `defaults`.
const typeNames = [
  'Context',
  'StructuredReturn',
  'Function',
  'HealthCheck',
  'InvokerOptions',
  'LogLevel',
  'CloudEventFunction',
  'CloudEventFunctionReturn',
  'HTTPFunction',
  'HTTPFunctionReturn',
  'IncomingBody',
  'FunctionReturn',
  'ResponseBody',
  'Logger',
  'CloudEventResponse',
  'Invokable',
  'Config',
];

/**
 * Lets TypeScript projects of func run unbuilt: they import types of faas-js-runtime as if they were values, which Node's type
 * stripping leaves in place. From now on TypeScript files of this thread get a module that has these names, with nothing behind them,
 * and our `start`.
 */
export function redirectFaasTypes(): void {
  if (redirected) return;
  redirected = true;
  const faas = import.meta.url.endsWith('.ts')
    ? new URL('./faas.ts', import.meta.url).href
    : import.meta.resolve('knative-embed/functions/faas');
  const names = typeNames.map((name) => `absent as ${name}`).join(', ');
  // A data module cannot import a file, so `start` is fetched when it is called.
  const source = `const absent = undefined; export { ${names} };
export const start = async (...values) => (await process.getBuiltinModule('node:module').createRequire(${JSON.stringify(faas)})(${JSON.stringify(new URL(faas).pathname)})).start(...values);`;
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  process.getBuiltinModule('node:module').registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'faas-js-runtime' && /\.[cm]?ts$/.test(context.parentURL ?? '')
        ? { url, format: 'module', shortCircuit: true }
        : next(specifier, context),
  });
}
