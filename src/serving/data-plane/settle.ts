/**
 * Runs a handler and reports when its work is over, however it ends. Work of a handler in this process may outlast its response, or
 * the client's patience: only then is its place in the instance free.
 */
export function settle(run: () => void | Promise<void>, settled: () => void): void | Promise<void> {
  let result: void | Promise<void>;
  try {
    result = run();
  } catch (error) {
    settled();
    throw error;
  }
  if (!(result instanceof Promise)) {
    settled();
    return undefined;
  }
  return result.finally(settled);
}
