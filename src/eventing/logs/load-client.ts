import { KnativeError, messageOf } from '../../errors.ts';

/** Options of a client, handed to it as they are: its own types would make its package necessary for everybody's type check. */
export type ClientOptions = Readonly<Record<string, unknown>>;

/** Loads the client of a server, an optional peer of this package. Rejects with EVENTING_CLIENT_MISSING, naming it. */
export async function loadClient<T>(load: () => Promise<T>, packages: string): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new KnativeError('EVENTING_CLIENT_MISSING', `this event log needs ${packages}: ${messageOf(cause)}`, {
      cause,
      path: packages,
      hint: `install it: npm install ${packages}`,
    });
  }
}

/** A server that cannot be reached or does not answer: the event may or may not be stored. */
export function logUnavailable(message: string, cause?: unknown): KnativeError {
  const text = cause === undefined ? message : `${message}: ${messageOf(cause)}`;
  return new KnativeError('EVENTING_LOG_UNAVAILABLE', text, { status: 503, ...(cause === undefined ? {} : { cause }) });
}
