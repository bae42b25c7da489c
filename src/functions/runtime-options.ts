import type { Clock } from '../clock.ts';
import type { Handler } from '../http/exchange.ts';
import type { Logger } from '../logger.ts';
import type { Random } from '../random.ts';
import type { Meter } from '../telemetry/meter.ts';
import type { Environment } from './context.ts';
import type { Deliver } from './emit.ts';
import type { HealthPaths } from './health.ts';

/** What surrounds a function. Every field has a default that fits one function in one process. */
export interface FunctionRuntimeOptions {
  /** The function's environment; default: none. `serve` and the entries hand in the process's. */
  readonly env?: Environment;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly meter?: Meter;
  /** Carries events of `context.emit`; default: none, `emit` rejects. */
  readonly deliver?: Deliver;
  /** Largest request body; overrides the function's own option. */
  readonly bodyBytesMax?: number;
  /** Default /health/liveness and /health/readiness, or LIVENESS_URL and READINESS_URL of `env`. */
  readonly healthPaths?: Partial<HealthPaths>;
  /** Shows messages of errors that are the function's fault; default false, and always on for faas conventions. */
  readonly exposeErrors?: boolean;
  /** Called once, after the first call was answered. */
  readonly onFirstAnswer?: () => void;
  /** Told how many pieces of background work (`context.waitUntil`) are under way, after every change. */
  readonly onBackground?: (count: number) => void;
  /** Gives `context.rawBody` as text (faas conventions); default false. */
  readonly includeRaw?: boolean;
}

/** A function that is ready to answer exchanges. */
export interface FunctionRuntime extends AsyncDisposable {
  readonly handler: Handler;
  /** Runs the init hook; further calls wait for the first. The first request does it when nobody has. */
  start(): Promise<void>;
  /** Calls under way, background work included. */
  readonly active: number;
  /** Waits for the calls under way and their background work, at most `graceMs` (default: without limit), then runs the shutdown hook once. */
  close(graceMs?: number): Promise<void>;
}
