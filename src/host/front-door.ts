import { respondText, type Exchange, type Handler } from '../http/index.ts';

export interface FrontDoorOptions {
  readonly brokerIngress: Handler;
  /** Answers for plain Kubernetes Services by host name; false when it knows none of that name. */
  readonly coreService: (exchange: Exchange, hostname: string) => boolean;
  /** Host names that are served, for the answer to a request that nobody takes. */
  readonly knownHosts: () => readonly string[];
}

const brokerHost = /^broker-ingress\.knative-eventing(\.|$)/;
const machineHosts = new Set(['localhost', '127.0.0.1', '[::1]', '']);

/**
 * Where a request enters: the brokers' ingress by its host name, else the gateway, which routes by host. What no route has goes to
 * `fallback`, which is made by `createFallback`.
 */
export function createFrontDoor(brokerIngress: Handler, gateway: Handler): Handler {
  return (exchange) => (brokerHost.test(hostnameOf(exchange.host)) ? brokerIngress(exchange) : gateway(exchange));
}

/** Answers what no Knative route has: the brokers by path on the machine's own name, plain Kubernetes Services, else a 404 that helps. */
export function createFallback({ brokerIngress, coreService, knownHosts }: FrontDoorOptions): Handler {
  return (exchange) => {
    const hostname = hostnameOf(exchange.host);
    if (machineHosts.has(hostname)) {
      if (/^\/[^/]+\/[^/]+\/?$/.test(exchange.target)) return brokerIngress(exchange);
    } else if (coreService(exchange, hostname)) return undefined;
    const hosts = knownHosts();
    const known = hosts.length === 0 ? 'no service is routed yet' : `these are served: ${hosts.slice(0, 20).join(', ')}`;
    respondText(exchange, 404, `no service has the host ${JSON.stringify(exchange.host)}; ${known}`);
    return undefined;
  };
}

/** The authority without its port, in lower case. */
export function hostnameOf(authority: string): string {
  const lower = authority.toLowerCase();
  const bracket = lower.indexOf(']');
  if (lower.startsWith('[') && bracket > 0) return lower.slice(0, bracket + 1);
  const colon = lower.indexOf(':');
  return colon < 0 ? lower : lower.slice(0, colon);
}
