import { sleep, type Clock } from '../../clock.ts';
import type { CommandProgram } from './image-map.ts';
import type { Launch, LaunchEvents } from './launcher.ts';
import type { NetworkNamespace } from './network-namespace.ts';
import type { PortAllocator } from './ports.ts';
import { leaseLiteralPort } from './process-settings.ts';

/** Where a serving program listens, and on which network stack it runs. */
export interface Placement {
  /** As the host reaches it. */
  readonly address: string;
  readonly port: number;
  /** Set when it is not this machine's own stack. */
  readonly namespace: NetworkNamespace | undefined;
  release(): void;
}

export interface PlacementOptions {
  readonly clock: Clock;
  readonly ports: PortAllocator;
  /** Makes a network stack for a program whose port is taken; `undefined` where that is not permitted. */
  makeNamespace(): Promise<NetworkNamespace | undefined>;
}

const pollMs = 50;

/**
 * Finds a place for a program. One with a fixed port gets it here when it is free, else a network stack of its own; where that is
 * not permitted it waits, as the instance before it may be on its way out. `undefined` when it was stopped or there is no port.
 */
export async function placeProgram(
  launch: Launch<CommandProgram>,
  events: LaunchEvents,
  options: PlacementOptions,
  isStopped: () => boolean,
): Promise<Placement | undefined> {
  const fixed = launch.program.port;
  const here = (lease: Disposable & { readonly port: number }): Placement => ({
    address: `127.0.0.1:${lease.port}`,
    port: lease.port,
    namespace: undefined,
    release: () => lease[Symbol.dispose](),
  });
  if (fixed === undefined) {
    const lease = await leaseLiteralPort(options.ports, launch.container.ports?.[0]?.containerPort, events);
    return lease === undefined ? undefined : here(lease);
  }
  let mayMakeNamespace = launch.isAlone;
  while (!isStopped()) {
    const lease = await options.ports.lease(fixed, { only: true });
    if (lease !== undefined) return here(lease);
    const namespace = mayMakeNamespace ? await options.makeNamespace() : undefined;
    if (namespace !== undefined) {
      events.note(
        `runs on a network stack of its own, because port ${fixed} is in use: this machine is ${namespace.hostAddress} there`,
      );
      return { address: `${namespace.address}:${fixed}`, port: fixed, namespace, release: () => void namespace.close() };
    }
    mayMakeNamespace = false;
    events.waiting(
      'PortInUse',
      `port ${fixed} is in use and the program takes no other one: only one instance of it can run on this machine at a time`,
    );
    await sleep(options.clock, pollMs);
  }
  return undefined;
}

/** Addresses of this machine's own servers in environment values, as they are reached from a namespace. */
export function reachHost(env: Readonly<Record<string, string>>, hostAddress: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      value.replace(/\/\/(?:127\.0\.0\.1|localhost)(?=[:/]|$)/g, `//${hostAddress}`),
    ]),
  );
}
