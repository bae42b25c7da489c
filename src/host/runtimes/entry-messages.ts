import type { Rehearsal } from '../../functions/rehearse.ts';

/**
 * What the host and the entry modules of worker threads and function processes say to each other
 * (src/functions/worker-entry.ts and process-entry.ts).
 */
export type EntryReport =
  | { readonly type: 'rehearsed' }
  | { readonly type: 'ready'; readonly port: number }
  | { readonly type: 'background'; readonly count: number }
  | { readonly type: 'failed'; readonly message: string; readonly stack: string | undefined };

/** Tells an entry to load a function with this environment and to listen on a loopback port (default: any). */
export function startMessage(modulePath: string, env: Readonly<Record<string, string>>, port = 0): object {
  return { type: 'start', modulePath, env, port };
}

/** Lets a spare entry go through a start and a request of nothing, so that its code is compiled when a real one comes. */
export function rehearseMessage(rehearsal: Rehearsal): object {
  return { type: 'rehearse', ...rehearsal };
}

/** Sent to a thread that has rehearsed, since the first message that it gets while it runs costs a millisecond more than later ones. */
export const attendMessage = { type: 'attend' } as const;

/** Asks an entry to finish what it has in hand, to run the shutdown hook and to end. */
export const shutdownMessage = { type: 'shutdown' } as const;

/** The report of an entry, `undefined` for anything else that a function may have posted. */
export function parseEntryReport(value: unknown): EntryReport | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  if (value.type === 'rehearsed') return { type: 'rehearsed' };
  if (value.type === 'ready' && 'port' in value && typeof value.port === 'number') return { type: 'ready', port: value.port };
  if (value.type === 'background' && 'count' in value && typeof value.count === 'number') {
    return { type: 'background', count: value.count };
  }
  if (value.type !== 'failed' || !('message' in value) || typeof value.message !== 'string') return undefined;
  const stack = 'stack' in value && typeof value.stack === 'string' ? value.stack : undefined;
  return { type: 'failed', message: value.message, stack };
}
