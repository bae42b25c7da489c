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
    if (name === '') [name, namespace] = fromHost(exchange.host, suffix) ?? [name, namespace];
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

function fromHost(host: string, suffix: string): readonly [name: string, namespace: string] | undefined {
  const authority = host.replace(/\.?(?::\d+)?$/, '');
  if (!authority.endsWith(suffix)) return undefined;
  const [name, namespace, ...rest] = authority.slice(0, -suffix.length).split('.');
  return name === undefined || namespace === undefined || rest.length > 0 ? undefined : [name, namespace];
}
