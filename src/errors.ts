/**
 * Stable machine-readable error codes: an area prefix and a name. The code is API, the message is not.
 * Areas: KERNEL, API, CLOUDEVENTS, HTTP, AUTOSCALER, SERVING, EVENTING, FUNCTIONS, CONTROLLER, HOST, KUBERNETES, SIMULATOR, CLI.
 */
export type ErrorCode =
  `${'KERNEL' | 'API' | 'CLOUDEVENTS' | 'HTTP' | 'AUTOSCALER' | 'SERVING' | 'EVENTING' | 'FUNCTIONS' | 'CONTROLLER' | 'HOST' | 'KUBERNETES' | 'SIMULATOR' | 'CLI'}_${string}`;

/** What an error carries besides its message. */
export interface ErrorDetails {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** HTTP status that an edge answers with when the error reaches it; default: none, the edge decides. */
  readonly status?: number;
  /** Field path (`spec.template.spec.containers[0].image`), option name or attribute that is at fault. */
  readonly path?: string;
  /** What the reader can do about it, one sentence. */
  readonly hint?: string;
}

const marker = Symbol.for('knative-embed.error');

/**
 * Base of every error that this package throws. Test with `KnativeError.is(e)`, which also recognises errors of a second
 * copy of the package, then compare `code`.
 */
export class KnativeError extends Error {
  readonly code: ErrorCode;
  readonly status: number | undefined;
  readonly path: string | undefined;
  readonly hint: string | undefined;
  readonly [marker] = true;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'KnativeError';
    this.code = code;
    this.status = details.status;
    this.path = details.path;
    this.hint = details.hint;
  }

  /** True for errors of this package, whichever copy of it threw them. */
  static is(error: unknown): error is KnativeError {
    return typeof error === 'object' && error !== null && marker in error;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
