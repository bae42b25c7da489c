import { respondText, type Exchange } from '../../http/index.ts';

const plain = ['content-type', 'text/plain; charset=utf-8'];

/** How ready a queue-proxy says its instance is; `none` when no probe is configured. */
export type Readiness = 'none' | (() => boolean | Promise<boolean>);

const probeAgents = ['kube-probe/', 'Knative-Activator-Probe', 'Knative-Autoscaling-Probe'];

/** True for the user agents whose requests a queue-proxy answers as health checks. */
export function isHealthCheck(exchange: Exchange): boolean {
  const agent = exchange.header('user-agent');
  return agent !== undefined && probeAgents.some((prefix) => agent.startsWith(prefix));
}

/** True for the kubelet's own probes, which pass by limits and statistics. */
export function isKubeletProbe(exchange: Exchange): boolean {
  return exchange.header('user-agent')?.startsWith('kube-probe/') === true || (exchange.header('k-kubelet-probe') ?? '') !== '';
}

/** Value of K-Network-Probe, '' when absent. */
export function networkProbeOf(exchange: Exchange): string {
  return exchange.header('k-network-probe') ?? '';
}

/** Answers the ingress' network probe by its hash. */
export function answerNetworkProbe(exchange: Exchange): void {
  const hash = exchange.header('k-network-hash') ?? '';
  if (hash === '') respondText(exchange, 400, 'a probe request must contain a non-empty "K-Network-Hash" header');
  else exchange.respond(200, ['K-Network-Hash', hash]);
}

/** Answers a health check of a queue-proxy. Source: `pkg/queue/health/handler.go`. */
export function answerHealthCheck(exchange: Exchange, readiness: Readiness): void | Promise<void> {
  const value = networkProbeOf(exchange);
  if (value !== 'queue') respondText(exchange, 400, `unexpected probe header value: ${value}`);
  else if (readiness === 'none') respondText(exchange, 500, 'no probe');
  else {
    const answer = (ready: boolean): void => {
      if (ready) exchange.respond(200, plain, 'queue');
      else exchange.respond(503, []);
    };
    const ready = readiness();
    if (typeof ready === 'boolean') answer(ready);
    else return ready.then(answer);
  }
}

/** Answers the probes that an activator answers; false when the request is none. Source: `pkg/activator/handler`. */
export function answerActivatorProbe(exchange: Exchange): boolean {
  if (isKubeletProbe(exchange)) {
    exchange.respond(200, []);
    return true;
  }
  const value = networkProbeOf(exchange);
  if (value === '') return false;
  if (value === 'probe') answerNetworkProbe(exchange);
  else if (value === 'activator') exchange.respond(200, plain, 'activator');
  else respondText(exchange, 400, `unexpected probe header value: ${JSON.stringify(escapeHtml(value))}`);
  return true;
}

const entities: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', "'": '&#39;', '"': '&#34;' };

function escapeHtml(text: string): string {
  return text.replace(/[<>&'"]/g, (character) => entities[character] ?? character);
}
