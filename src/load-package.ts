import { KnativeError } from './errors.ts';

/**
 * Loads one of the package's dependencies at its first use, in code that cannot wait: importing a module then costs nothing for those who never
 * come here. Throws KERNEL_PACKAGE_MISSING, naming it, when it is not installed.
 */
export function loadPackage(name: string): unknown {
  try {
    return process.getBuiltinModule('node:module').createRequire(import.meta.url)(name);
  } catch (cause) {
    throw new KnativeError('KERNEL_PACKAGE_MISSING', `the package ${JSON.stringify(name)} cannot be loaded`, {
      cause,
      hint: `install it: npm install ${name}`,
    });
  }
}
