import { describe, expect, test } from 'vitest';
import { createVirtualClock, type Clock } from '../../src/clock.ts';
import { createEvent, type EventMessage } from '../../src/cloudevents/index.ts';
import { KnativeError } from '../../src/errors.ts';
import { createBroker } from '../../src/eventing/broker.ts';
import type { Broker } from '../../src/eventing/broker-types.ts';
import { createRandom } from '../../src/random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const events = 150;
const crashes = 6;
const names = ['steady', 'slow', 'flapping', 'failing', 'ordered'] as const;
type Name = (typeof names)[number];

interface Counts {
  acknowledged: number;
  deliveries: number;
  repeated: number;
  deadLetters: number;
}

/** One process: what it has set in motion stops with it. */
class Life {
  readonly #clock: Clock;
  alive = true;
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly clock: Clock = {
    now: () => this.#clock.now(),
    monotonic: () => this.#clock.monotonic(),
    setTimer: (delayMs, run) => this.#clock.setTimer(delayMs, () => this.alive && run()),
  };
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};

async function simulate(seed: number): Promise<Counts> {
  const clock = createVirtualClock();
  const random = createRandom(seed);
  const disk = new SimulatedDisk(clock, random);
  const got = new Map<Name, string[]>(names.map((name) => [name, []]));
  const dead = new Set<string>();
  const published = new Set<string>();
  const acknowledged = new Set<string>();
  let isDown = false;

  const deliver = (name: Name, event: EventMessage, life: Life): void => {
    if (life.alive) got.get(name)?.push(event.id);
  };
  const fail = (): never => {
    throw new KnativeError('EVENTING_TEST', 'out of order', { status: 503 });
  };
  const subscribers: Record<Name, (event: EventMessage, life: Life) => unknown> = {
    steady: (event, life) => deliver('steady', event, life),
    slow: (event, life) =>
      new Promise<void>((resolve) => {
        life.clock.setTimer(random() * 1_500, () => {
          deliver('slow', event, life);
          resolve();
        });
      }),
    flapping: (event, life) => (isDown || random() < 0.3 ? fail() : deliver('flapping', event, life)),
    failing: () => fail(),
    ordered: async (event, life) => {
      await new Promise<void>((resolve) => void life.clock.setTimer(random() * 30, resolve));
      if (random() < 0.1) fail();
      deliver('ordered', event, life);
    },
  };

  async function born(): Promise<{ broker: Broker; die: () => void }> {
    const life = new Life(clock);
    const { log, crash } = disk.life();
    const broker = await createBroker({ log, clock: life.clock });
    for (const name of names) {
      broker.addTrigger(name, {
        subscriber: (event) => (life.alive ? subscribers[name](event, life) : new Promise(() => undefined)),
        delivery: { retry: name === 'failing' ? 2 : 200, backoffPolicy: 'linear', backoffDelay: 'PT0.1S', timeout: 'PT1S' },
        deadLetterSink: (event) => void (life.alive && dead.add(`${name} ${event.id}`)),
        order: name === 'ordered' ? 'ordered' : 'unordered',
      });
    }
    return {
      broker,
      die() {
        life.alive = false;
        crash();
      },
    };
  }

  let { broker, die } = await born();
  const crashAt = new Set(Array.from({ length: crashes }, () => Math.floor(random() * events)));
  for (let at = 0; at < events; at++) {
    const id = String(at);
    published.add(id);
    broker
      .publish(createEvent({ id, source: '/sim', type: 'tick', data: at, extensions: { partitionkey: `p${at % 3}` } }))
      .then(() => acknowledged.add(id))
      .catch(() => undefined);
    await settle();
    clock.advanceSync(random() * 60);
    await settle();
    if (random() < 0.05) isDown = !isDown;
    if (crashAt.has(at)) {
      die();
      ({ broker, die } = await born());
    }
  }
  isDown = false;
  for (let step = 0; step < 4_000 && names.some((name) => broker.backlog(name) > 0); step++) {
    clock.advanceSync(100);
    await settle();
  }
  die();

  for (const name of names) {
    const seen = new Set(got.get(name));
    for (const id of acknowledged) {
      const reached = seen.has(id) || dead.has(`${name} ${id}`);
      if (!reached) throw new Error(`seed ${seed}: acknowledged event ${id} never reached ${name}`);
    }
    for (const id of seen) if (!published.has(id)) throw new Error(`seed ${seed}: ${name} got ${id}, which nobody sent`);
  }
  expectOrder(seed, got.get('ordered') ?? []);
  const deliveries = [...got.values()].reduce((sum, ids) => sum + ids.length, 0);
  const distinct = [...got.values()].reduce((sum, ids) => sum + new Set(ids).size, 0);
  return { acknowledged: acknowledged.size, deliveries, repeated: deliveries - distinct, deadLetters: dead.size };
}

/** Within a partition every event comes after those that were sent before it, repetitions after a crash aside. */
function expectOrder(seed: number, ids: readonly string[]): void {
  const newest = new Map<number, number>();
  const seen = new Set<number>();
  for (const id of ids.map(Number)) {
    const partition = id % 3;
    if (!seen.has(id) && id < (newest.get(partition) ?? -1)) throw new Error(`seed ${seed}: ${id} came late to its partition`);
    seen.add(id);
    newest.set(partition, Math.max(id, newest.get(partition) ?? -1));
  }
}

describe('a broker over crashes and bad subscribers, on virtual time', () => {
  test('delivers every acknowledged event at least once, in order where promised', async () => {
    const total: Counts = { acknowledged: 0, deliveries: 0, repeated: 0, deadLetters: 0 };
    const seeds = Number(process.env['SIMULATION_SEEDS'] ?? 8);
    for (let seed = 1; seed <= seeds; seed++) {
      const counts = await simulate(seed);
      for (const key of ['acknowledged', 'deliveries', 'repeated', 'deadLetters'] as const) total[key] += counts[key];
    }
    console.log(
      `${seeds} seeds, ${seeds * crashes} crashes: ${total.acknowledged} events acknowledged, ${total.deliveries} deliveries, ` +
        `${total.repeated} repeated, ${total.deadLetters} dead letters, 0 lost`,
    );
    expect(total.acknowledged).toBeGreaterThan(seeds * events * 0.9);
    expect(total.repeated).toBeGreaterThan(0);
  }, 120_000);
});
