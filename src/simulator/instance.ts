import type { Slot } from '../serving/data-plane/instance-picking.ts';

/** One instance: a pod. */
export class SimulatedInstance {
  readonly number: number;
  readonly id: string;
  readonly createdMs: number;
  /** `pending`: there is no room for it. `broken`: its start has failed, the next attempt is due. */
  state: 'pending' | 'starting' | 'broken' | 'ready' | 'draining' | 'gone' = 'pending';
  /** Its place in the set while it is ready, and while it drains. */
  slot: Slot<SimulatedInstance> | undefined;
  idleSinceMs = 0;
  /** An `expiry` event is under way. */
  expiryArmed = false;
  startsFailed = 0;
  /** When the place on the machine was taken. */
  placedMs = 0;

  constructor(number: number, createdMs: number) {
    this.number = number;
    this.id = `instance-${String(number).padStart(9, '0')}`;
    this.createdMs = createdMs;
  }

  get isIdle(): boolean {
    return (this.slot?.inFlight ?? 0) === 0;
  }
}
