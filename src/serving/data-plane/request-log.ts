import type { Exchange } from '../../http/index.ts';

/** One answered request. */
export interface RequestLogRecord {
  readonly exchange: Exchange;
  /** Status sent, 0 when the client left before. */
  readonly status: number;
  /** Bytes of the response body. */
  readonly bytes: number;
  readonly latencyMs: number;
}

/** Where answered requests are written. */
export interface RequestLog {
  /** True when health checks are written too. */
  readonly probes: boolean;
  write(record: RequestLogRecord): void;
}
