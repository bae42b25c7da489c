/** How an ingress answers a request before it reads the event. */
export interface IngressRefusal {
  readonly status: 200 | 400 | 404 | 405;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
}

/** The Broker or channel that a request is for. */
export interface IngressTarget {
  readonly namespace: string;
  readonly name: string;
}

const methods = 'POST, OPTIONS';
/** Every answer of an ingress, also of one that took the event, says which methods there are. */
export const ingressHeaders: readonly string[] = ['Allow', methods];
const handshake: IngressRefusal = {
  status: 200,
  rawHeaders: [...ingressHeaders, 'WebHook-Allowed-Origin', '*', 'WebHook-Allowed-Rate', '*'],
};

/**
 * Routes a request to a broker's ingress: `POST /NAMESPACE/NAME`, one slash at the end allowed. OPTIONS is answered on any path with the
 * webhook handshake (200), other methods with 405, the root with 404, any other number of segments with 400. A query is taken for part of
 * the last segment, so a broker of that name is unknown (404).
 */
export function routeIngress(method: string, target: string): IngressTarget | IngressRefusal {
  if (method === 'OPTIONS') return handshake;
  if (method !== 'POST') return { status: 405, rawHeaders: ingressHeaders };
  if (target === '/') return { status: 404, rawHeaders: ingressHeaders };
  const [root, namespace, name, ...more] = (target.endsWith('/') ? target.slice(0, -1) : target).split('/');
  if (root !== '' || namespace === undefined || name === undefined || more.length > 0)
    return { status: 400, rawHeaders: ingressHeaders };
  return { namespace, name };
}

/**
 * The status with which an ingress answers for what became of an event. `accepted` passes on a 2xx status of whoever took the event (202 for
 * a log). Refused events keep their reason apart from a failure of ours: only 500 is worth another try by the sender.
 */
export function ingressStatus(
  outcome:
    'notAnEvent' | 'invalidEvent' | 'ttlExhausted' | 'unknownBroker' | 'notReady' | 'failed' | { readonly accepted: number },
): number {
  switch (outcome) {
    case 'notAnEvent':
    case 'invalidEvent':
    case 'ttlExhausted':
      return 400;
    case 'unknownBroker':
      return 404;
    case 'notReady':
    case 'failed':
      return 500;
    default:
      return outcome.accepted >= 200 && outcome.accepted <= 299 ? outcome.accepted : 500;
  }
}
