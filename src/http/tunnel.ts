import type { BodyFlow, Tunnel } from './exchange.ts';

/** Joins two tunnels: bytes both ways with back-pressure, half-closes passed on; a break on one side breaks the other. */
export function pipeTunnels(a: Tunnel, b: Tunnel): void {
  connect(a, b);
  connect(b, a);
}

function connect(from: Tunnel, to: Tunnel): void {
  const flow: BodyFlow = from.receive({
    data(chunk) {
      if (to.write(chunk)) return true;
      to.onDrain(() => flow.resume());
      return false;
    },
    end: () => to.end(),
    error: (error) => to.destroy(error),
  });
}
