import type { DeliveryJob } from './delivery-job.ts';

/** Keeps the jobs of one partition one after the other; partitions do not wait for each other. */
export class Lanes {
  /** Jobs that wait behind the one in front, by partition. */
  readonly #waiting = new Map<string, DeliveryJob[] | undefined>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** True when the job is the front of its lane and may go; else it waits there. */
  enter(job: DeliveryJob, partition: string): boolean {
    job.partition = partition;
    if (!this.#waiting.has(partition)) {
      this.#waiting.set(partition, undefined);
      return true;
    }
    const queue = this.#waiting.get(partition);
    if (queue === undefined) this.#waiting.set(partition, [job]);
    else queue.push(job);
    return false;
  }

  /** Ends the front of a lane; returns the job that is the front now. */
  leave({ partition }: DeliveryJob): DeliveryJob | undefined {
    if (partition === undefined) return undefined;
    const next = this.#waiting.get(partition)?.shift();
    if (next === undefined) this.#waiting.delete(partition);
    return next;
  }
}
