/** What can happen, in the order in which it happens at the same instant. A new request comes between `ready` and `expiry`. */
export const eventKinds = {
  /** A request ends. */
  departure: 0,
  /** An instance has started. */
  ready: 1,
  /** An idle instance may have been idle long enough. */
  expiry: 2,
  /** An instance breaks. */
  crash: 3,
  /** The time limit of a waiting request. */
  waitLimit: 4,
  /** A timer of the autoscaler: its ticks and the next look of its reconciler. */
  timer: 5,
  /** The second is over: statistics go to the autoscaler. */
  report: 6,
  /** A row of the time series is due. */
  sample: 7,
} as const;

const kindFactor = 2 ** 46;
const initialCapacity = 256;

/**
 * Future events in a binary heap of typed arrays, ordered by time, then kind, then the order of adding: one seed gives one run.
 * The payload is a whole number below 2^28.
 */
export class EventQueue {
  size = 0;
  /** Times in heap order: the first is the next event's. */
  times = new Float64Array(initialCapacity);
  #orders = new Float64Array(initialCapacity);
  #data = new Int32Array(initialCapacity);
  #sequence = 0;

  /** Kind of the next event; only when there is one. */
  get nextKind(): number {
    return (this.#data[0] ?? 0) & 7;
  }

  push(timeMs: number, kind: number, payload: number): void {
    let index = this.size++;
    if (index === this.times.length) this.#grow();
    const times = this.times;
    const orders = this.#orders;
    const data = this.#data;
    const order = kind * kindFactor + this.#sequence++;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const parentMs = times[parent] ?? 0;
      if (parentMs < timeMs || (parentMs === timeMs && (orders[parent] ?? 0) < order)) break;
      times[index] = parentMs;
      orders[index] = orders[parent] ?? 0;
      data[index] = data[parent] ?? 0;
      index = parent;
    }
    times[index] = timeMs;
    orders[index] = order;
    data[index] = (payload << 3) | kind;
  }

  /** Removes the next event and answers its payload. Only when there is one. */
  pop(): number {
    const times = this.times;
    const orders = this.#orders;
    const data = this.#data;
    const payload = (data[0] ?? 0) >> 3;
    const last = --this.size;
    const timeMs = times[last] ?? 0;
    const order = orders[last] ?? 0;
    const moved = data[last] ?? 0;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= last) break;
      let childMs = times[child] ?? 0;
      const right = child + 1;
      if (right < last) {
        const rightMs = times[right] ?? 0;
        if (rightMs < childMs || (rightMs === childMs && (orders[right] ?? 0) < (orders[child] ?? 0))) {
          child = right;
          childMs = rightMs;
        }
      }
      if (timeMs < childMs || (timeMs === childMs && order < (orders[child] ?? 0))) break;
      times[index] = childMs;
      orders[index] = orders[child] ?? 0;
      data[index] = data[child] ?? 0;
      index = child;
    }
    times[index] = timeMs;
    orders[index] = order;
    data[index] = moved;
    return payload;
  }

  #grow(): void {
    const length = this.times.length * 2;
    const times = new Float64Array(length);
    times.set(this.times);
    this.times = times;
    const orders = new Float64Array(length);
    orders.set(this.#orders);
    this.#orders = orders;
    const data = new Int32Array(length);
    data.set(this.#data);
    this.#data = data;
  }
}
