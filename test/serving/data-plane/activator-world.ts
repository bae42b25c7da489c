// One activator on virtual time, for the tests of this folder.
import { createVirtualClock, sleep, type VirtualClock } from '../../../src/clock.ts';
import { createMemoryNetwork, type ClientResponse, type Handler } from '../../../src/http/index.ts';
import { createRandom } from '../../../src/random.ts';
import { createActivator, type Activator, type ActivatorOptions } from '../../../src/serving/data-plane/index.ts';

export const key = 'default/hello';

export interface World {
  readonly clock: VirtualClock;
  readonly activator: Activator;
  get(path?: string, headers?: readonly string[], signal?: AbortSignal): Promise<ClientResponse>;
  /** Lets the time pass, with all that falls due. */
  advance(durationMs: number): Promise<void>;
}

/** An activator on virtual time, whose revision `key` is behind a host of a network in memory. */
export function createWorld(options: ActivatorOptions = {}): World {
  const clock = createVirtualClock();
  const activator = createActivator({ clock, random: createRandom(3), ...options });
  const network = createMemoryNetwork();
  network.register('hello', (exchange) => activator.handle(key, exchange));
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    clock,
    activator,
    get: (path = '/', rawHeaders = [], signal) =>
      network.client.request({
        method: 'GET',
        url: `http://hello${path}`,
        rawHeaders,
        ...(signal === undefined ? {} : { signal }),
      }),
    async advance(durationMs) {
      const untilMs = clock.now() + durationMs;
      await settle();
      while (clock.runNext(untilMs)) await settle();
      clock.setNow(untilMs);
      await settle();
    },
  };
}

/** Answers with a name. */
export const text =
  (name: string): Handler =>
  (exchange) =>
    exchange.respond(200, [], name);
export const instance = (id: string, handler: Handler = text(id)) => ({ id, target: { handler } });
/** Answers after a while, or once the client has gone. */
export const slow =
  (clock: VirtualClock, durationMs: number): Handler =>
  async (exchange) => {
    await sleep(clock, durationMs, exchange.signal).catch(() => undefined);
    exchange.respond(200, [], 'done');
  };
