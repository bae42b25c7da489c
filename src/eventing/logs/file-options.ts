import type { Clock } from '../../clock.ts';
import type { Logger } from '../../logger.ts';

export interface FileLogOptions {
  readonly clock?: Clock;
  /** Hears of damage and of failing writes. Default silent. */
  readonly logger?: Logger;
  /** How long events that are done stay for replay; default 24 hours. Events that are not done stay until they are. */
  readonly retainMs?: number;
  /** Bytes of files beyond which those with nothing but done events go, oldest first; default 256 MiB. */
  readonly retainBytes?: number;
  /** Bytes of all files beyond which events are refused with `LogFullError`; default 4 GiB. */
  readonly bytesMax?: number;
  /** Size at which a new file begins, the unit in which disk is given back; default 16 MiB. */
  readonly segmentBytes?: number;
  /** Events that each trigger keeps in memory; the rest of a backlog waits on disk. Default 1,024. */
  readonly bufferedEvents?: number;
  /** How long what was acknowledged may wait to be written down: a crash repeats so much. Default 100 ms. */
  readonly cursorMs?: number;
  /** What to do with damage: `refuse` (default) does not open, `skip` reports it to the logger and leaves out what cannot be read. */
  readonly damaged?: 'refuse' | 'skip';
}
