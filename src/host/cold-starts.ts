import type { Revision } from '../api/serving/revision.ts';
import type { Clock } from '../clock.ts';
import { labelKeys, type RevisionKey } from '../serving/index.ts';
import type { Attributes, Histogram, Meter } from '../telemetry/meter.ts';
import type { InstanceStatus } from './runtimes/runtime.ts';

/** A start from zero under way. */
interface ColdStart {
  readonly requestedMs: number;
  runningMs: number | undefined;
}

/**
 * Measures the parts of a start from zero that happen outside of the data plane, into the same histogram as its `queue-wait` and
 * `first-byte`: `spawn` from the first waiting request until a program of the revision runs, `ready` from there until it takes requests.
 */
export class ColdStarts {
  readonly #clock: Clock;
  readonly #duration: Histogram;
  readonly #starts = new Map<RevisionKey, ColdStart>();

  constructor(clock: Clock, meter: Meter) {
    this.#clock = clock;
    this.#duration = meter.histogram('kn.serving.cold_start.duration', {
      unit: 's',
      description: 'Parts of starts from zero instances',
    });
  }

  /** A request found no instance. */
  requested(revision: RevisionKey): void {
    if (!this.#starts.has(revision)) this.#starts.set(revision, { requestedMs: this.#clock.monotonic(), runningMs: undefined });
  }

  /** An instance of the revision has changed. */
  observe(key: RevisionKey, revision: () => Revision | undefined, status: InstanceStatus): void {
    const start = this.#starts.get(key);
    if (start === undefined) return;
    const nowMs = this.#clock.monotonic();
    if (start.runningMs === undefined && (status.ready || status.containers.every(({ state }) => state.kind === 'running'))) {
      start.runningMs = nowMs;
      this.#record(key, revision(), 'spawn', nowMs - start.requestedMs);
    }
    if (!status.ready || start.runningMs === undefined) return;
    this.#starts.delete(key);
    this.#record(key, revision(), 'ready', nowMs - start.runningMs);
  }

  forget(revision: RevisionKey): void {
    this.#starts.delete(revision);
  }

  #record(key: RevisionKey, revision: Revision | undefined, phase: 'spawn' | 'ready', durationMs: number): void {
    const slash = key.indexOf('/');
    const labels = revision?.metadata.labels ?? {};
    const service = labels[labelKeys.service];
    const configuration = labels[labelKeys.configuration];
    const attributes: Attributes = {
      'k8s.namespace.name': key.slice(0, slash),
      'kn.revision.name': key.slice(slash + 1),
      ...(service === undefined ? {} : { 'kn.service.name': service }),
      ...(configuration === undefined ? {} : { 'kn.configuration.name': configuration }),
      'kn.cold_start.phase': phase,
    };
    this.#duration.record(durationMs / 1000, attributes);
  }
}
