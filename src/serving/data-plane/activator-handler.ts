import { respondText, type Handler } from '../../http/index.ts';
import { notFoundText, type Activator } from './activator.ts';
import { instanceHeaders } from './forwarded.ts';
import { answerActivatorProbe } from './probe-answers.ts';

export interface ActivatorHandlerOptions {
  readonly activator: Activator;
  /** Default `cluster.local`. */
  readonly clusterDomain?: string;
}

/**
 * The activator as a server of its own, as behind another ingress: the revision comes from the two `Knative-Serving-*` headers, else
 * from a `name.namespace.svc.DOMAIN` host. It marks what it passes on with `K-Proxy-Request`.
 */
export function createActivatorHandler({ activator, clusterDomain = 'cluster.local' }: ActivatorHandlerOptions): Handler {
  const suffix = `.svc.${clusterDomain}`;
  return (exchange) => {
    if (answerActivatorProbe(exchange)) return;
    let name = exchange.header('knative-serving-revision') ?? '';
    let namespace = exchange.header('knative-serving-namespace') ?? '';
    if (name === '' && namespace === '') [name, namespace] = fromHost(exchange.host, suffix);
    const key = `${namespace}/${name}`;
    if (!activator.has(key)) {
      respondText(exchange, 404, notFoundText(key));
      return;
    }
    const originalHost = exchange.header('k-original-host') ?? exchange.host;
    const { rawHeaders } = instanceHeaders(exchange, {
      role: 'sidecar',
      forwarded: false,
      set: ['K-Proxy-Request', 'activator', 'K-Original-Host', originalHost],
      drop: ['k-network-hash'],
    });
    activator.handle(key, exchange, { rawHeaders, hostFromInstance: true });
  };
}

function fromHost(host: string, suffix: string): [name: string, namespace: string] {
  const authority = host.replace(/:\d+$/, '');
  if (!authority.endsWith(suffix)) return ['', ''];
  const parts = authority.slice(0, -suffix.length).split('.');
  return parts.length === 2 ? [parts[0] ?? '', parts[1] ?? ''] : ['', ''];
}
