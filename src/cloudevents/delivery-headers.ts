const passedNames: ReadonlySet<string> = new Set(['x-request-id', 'retry-after']);
const passedPrefixes = ['knative-', 'x-b3-'];

/** Header that names the namespace a delivery happens in. Set by filter and fan-out, never taken over from outside. */
export const namespaceHeader = 'Kn-Namespace';

/**
 * The headers of a request or answer that travel on with an event: `X-Request-Id`, `Retry-After`, `Knative-*` and `X-B3-*`. Trace
 * context, authorization, `Prefer` and everything else stay behind. Names and values in turn, as given.
 */
export function passedHeaders(rawHeaders: readonly string[]): string[] {
  const passed: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const lower = name.toLowerCase();
    if (passedNames.has(lower) || passedPrefixes.some((prefix) => lower.startsWith(prefix)))
      passed.push(name, rawHeaders[at + 1] ?? '');
  }
  return passed;
}
