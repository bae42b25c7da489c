let redirected = false;

const frameworkNames: ReadonlySet<string> = new Set([
  '@google-cloud/functions-framework',
  '@google-cloud/functions-framework/testing',
]);

/**
 * From now on, imports and requires of functions-framework in this thread get this package's implementation, installed or not, so
 * that what a project registers is registered here.
 */
export function redirectFramework(): void {
  if (redirected) return;
  redirected = true;
  const url = frameworkUrl();
  process.getBuiltinModule('node:module').registerHooks({
    resolve: (specifier, context, next) =>
      frameworkNames.has(specifier) ? { url, format: 'module', shortCircuit: true } : next(specifier, context),
  });
}

// Beside this file in the sources; a build has it at its own subpath.
function frameworkUrl(): string {
  return import.meta.url.endsWith('.ts')
    ? new URL('./framework.ts', import.meta.url).href
    : import.meta.resolve('knative-embed/functions/framework');
}
