/**
 * Turns on Node's cache of compiled code for modules that are loaded from now on (NODE_COMPILE_CACHE says where, the temporary folder
 * by default; NODE_DISABLE_COMPILE_CACHE turns it off), and returns what writes it. Node itself writes it only at a normal end,
 * which instances that are killed never have; so it is written after the first answer.
 */
export function useCompileCache(): () => void {
  const { enableCompileCache, flushCompileCache } = process.getBuiltinModule('node:module');
  enableCompileCache();
  return () => flushCompileCache();
}
