import type { DeciderSpec, MetricRequest, Observation } from '../policy.ts';

/** What an inner policy sees: another spec, or its own numbering of the windows. Set up once per decider, moved per decision. */
export class ObservationView implements Observation {
  base: Observation;
  readonly #indices: readonly number[] | undefined;
  readonly #specOf: ((spec: DeciderSpec) => DeciderSpec) | undefined;

  constructor(base: Observation, options: { indices?: readonly number[]; specOf?: (spec: DeciderSpec) => DeciderSpec }) {
    this.base = base;
    this.#indices = options.indices;
    this.#specOf = options.specOf;
  }
  get spec(): DeciderSpec {
    return this.#specOf === undefined ? this.base.spec : this.#specOf(this.base.spec);
  }
  get readyPods(): number | undefined {
    return this.base.readyPods;
  }
  average(index: number, nowMs: number): number {
    return this.base.average(this.#indices === undefined ? index : (this.#indices[index] ?? -1), nowMs);
  }
  isEmpty(index: number, nowMs: number): boolean {
    return this.base.isEmpty(this.#indices === undefined ? index : (this.#indices[index] ?? -1), nowMs);
  }
}

/** Windows of several policies without doubles, and for each policy where its own are. */
export function mergeRequests(lists: readonly (readonly MetricRequest[])[]): {
  readonly requests: readonly MetricRequest[];
  readonly indices: readonly (readonly number[])[];
} {
  const requests: MetricRequest[] = [];
  const indices = lists.map((list) =>
    list.map((request) => {
      const known = requests.findIndex(
        ({ metric, windowMs, aggregation }) =>
          metric === request.metric && windowMs === request.windowMs && aggregation === request.aggregation,
      );
      return known >= 0 ? known : requests.push(request) - 1;
    }),
  );
  return { requests, indices };
}

/** Spare capacity beyond the burst capacity that is to be held, as the KPA computes it. `load` is in the scaling metric. */
export function excessBurstCapacityOf(spec: DeciderSpec, readyPods: number, load: number): number {
  const burst = spec.targetBurstCapacity;
  return burst > 0 ? Math.floor(readyPods * spec.totalValue - burst - load) : burst === 0 ? 0 : -1;
}
