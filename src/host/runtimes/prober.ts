import type { ProbeSpec } from './runtime.ts';
import type { Target } from './launcher.ts';

/** How one probe went. */
export type ProbeOutcome =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly message: string;
      /** Nothing listens yet: cheap to try again at once, and invisible to the program. */
      readonly refused?: boolean;
    };

/** A network probe with its place filled in. */
export type NetworkProbe =
  | {
      readonly kind: 'http';
      readonly address: string;
      readonly target: Target | undefined;
      readonly scheme: 'http' | 'https';
      readonly path: string;
      /** Names and values in turn. */
      readonly rawHeaders: readonly string[];
      readonly host: string | undefined;
      /** `detect`: tried first, HTTP/1.1 second. */
      readonly http2: boolean | 'detect';
    }
  | { readonly kind: 'tcp'; readonly address: string; readonly target: Target | undefined }
  | { readonly kind: 'grpc'; readonly address: string; readonly target: Target | undefined; readonly service: string };

/** Asks a program whether it is well. The default one uses sockets, and calls handlers in process directly. */
export interface Prober {
  /** Never rejects. Gives up when the signal aborts. */
  probe(request: NetworkProbe, signal: AbortSignal): Promise<ProbeOutcome>;
}

/**
 * What the container's probe means here: its port is the serving port unless it names another one. Readiness is asked in the way
 * of Knative's queue-proxy, which keeps its own Host and User-Agent whatever the probe's headers say; the rest in a kubelet's way.
 */
export function networkProbe(
  spec: ProbeSpec,
  asker: 'queue-proxy' | 'kubelet',
  serving: {
    readonly target: Target | undefined;
    readonly ports: readonly { readonly name?: string; readonly containerPort: number }[];
  },
): NetworkProbe | undefined {
  const servingHost = serving.target?.address.slice(0, serving.target.address.lastIndexOf(':')) ?? '127.0.0.1';
  const place = (
    port: number | string | undefined,
    host?: string,
  ): { address: string; target: Target | undefined } | undefined => {
    const isServing =
      port === undefined ||
      port === 0 ||
      port === '' ||
      serving.ports.some((own) => own.containerPort === Number(port) || own.name === port);
    if (isServing) {
      return serving.target === undefined ? undefined : { address: serving.target.address, target: serving.target };
    }
    const number = Number(port);
    return Number.isInteger(number) ? { address: `${host ?? servingHost}:${number}`, target: undefined } : undefined;
  };
  if (spec.httpGet !== undefined) {
    const at = place(spec.httpGet.port, spec.httpGet.host);
    if (at === undefined) return undefined;
    const own = asker === 'kubelet' ? [] : ['host', 'user-agent'];
    const headers = (spec.httpGet.httpHeaders ?? []).filter(({ name }) => !own.includes(name.toLowerCase()));
    const given = new Set(headers.map(({ name }) => name.toLowerCase()));
    const path = spec.httpGet.path ?? '/';
    const scheme = spec.httpGet.scheme?.toUpperCase() === 'HTTPS' ? 'https' : 'http';
    const isNamed = at.target !== undefined && serving.ports.some(({ name }) => name === 'h2c');
    const detects = spec.detectHttp2 === true && asker === 'queue-proxy' && scheme === 'http';
    return {
      kind: 'http',
      ...at,
      scheme,
      path: path.startsWith('/') ? path : `/${path}`,
      rawHeaders: [
        ...(given.has('user-agent') ? [] : ['User-Agent', userAgent]),
        ...(given.has('accept-encoding') ? [] : ['Accept-Encoding', 'gzip']),
        ...headers.flatMap(({ name, value = '' }) => (name.toLowerCase() === 'host' ? [] : [name, value])),
      ],
      host: headers.find(({ name }) => name.toLowerCase() === 'host')?.value,
      http2: isNamed || (detects && 'detect'),
    };
  }
  if (spec.grpc !== undefined) {
    const at = place(spec.grpc.port);
    return at === undefined ? undefined : { kind: 'grpc', ...at, service: spec.grpc.service ?? '' };
  }
  const at = place(spec.tcpSocket?.port, spec.tcpSocket?.host);
  return at === undefined ? undefined : { kind: 'tcp', ...at };
}

/** As a kubelet's, so that programs which tell probes from requests by it work. */
const userAgent = 'kube-probe/1.34';

/** Headers that every HTTP probe has unless it brings its own, names and values in turn. */
export const standardHeaders: readonly string[] = ['User-Agent', userAgent, 'Accept-Encoding', 'gzip'];
