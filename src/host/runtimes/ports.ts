import { systemRandom, type Random } from '../../random.ts';

/** A port on loopback that one container uses. */
export interface PortLease extends Disposable {
  readonly port: number;
}

/** Gives out loopback ports. No two leases of one allocator are for the same port. */
export interface PortAllocator {
  /** `wanted` when nobody has it and it is free on this machine, else any free port unless `only`; `undefined` when there is none. */
  lease(
    wanted: number | undefined,
    options?: { readonly only?: boolean; readonly host?: string },
  ): Promise<PortLease | undefined>;
}

// Below the range that systems take outgoing ports from, so that nobody's connection can sit on a port between check and use.
const firstPort = 20_000;
const lastPort = 32_000;
const attemptsMax = 200;

export function createPortAllocator(random: Random = systemRandom): PortAllocator {
  const taken = new Set<string>();
  const take = async (port: number, host: string): Promise<PortLease | undefined> => {
    const key = `${host}:${port}`;
    if (taken.has(key)) return undefined;
    taken.add(key);
    if (!(await isFree(port, host))) {
      taken.delete(key);
      return undefined;
    }
    return {
      port,
      [Symbol.dispose]() {
        taken.delete(key);
      },
    };
  };
  return {
    async lease(wanted, { only = false, host = '' } = {}) {
      const literal = wanted === undefined ? undefined : await take(wanted, host);
      if (literal !== undefined || only) return literal;
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const lease = await take(firstPort + Math.floor(random() * (lastPort - firstPort)), host);
        if (lease !== undefined) return lease;
      }
      return undefined;
    },
  };
}

/** Tries the port as most programs will take it: on all addresses, which fails when any single one is taken. */
function isFree(port: number, host: string): Promise<boolean> {
  const { createServer } = process.getBuiltinModule('node:net');
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, exclusive: true, ...(host === '' ? {} : { host }) }, () => server.close(() => resolve(true)));
  });
}
