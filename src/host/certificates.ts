import { secrets, type Secret } from '../api/core/secret.ts';
import { ingresses } from '../api/networking/ingress.ts';
import type { MemoryStore } from '../controller/memory-store.ts';
import type { TlsCertificate } from '../http/index.ts';

/** Certificates for the names that Ingresses serve: those of the Secrets that their `spec.tls` names. */
export interface Certificates extends Disposable {
  start(): void;
  /** The certificate for a server name; `undefined` when no Ingress has one or its Secret is not there. */
  certificateFor(serverName: string): TlsCertificate | undefined;
}

export function createCertificates(store: MemoryStore): Certificates {
  let subscription: Disposable | undefined;
  /** Host name to the Secret that it is served with; made when it is asked for. */
  let secretOf: Map<string, { readonly namespace: string; readonly name: string }> | undefined;
  // One object for each version of a Secret: the TLS layer keeps what it has made of it.
  const parsed = new WeakMap<Secret, TlsCertificate>();

  function index(): Map<string, { namespace: string; name: string }> {
    const found = new Map<string, { namespace: string; name: string }>();
    for (const { metadata, spec } of store.view.list(ingresses)) {
      for (const { hosts = [], secretName, secretNamespace } of spec.tls ?? []) {
        const namespace = secretNamespace === '' ? (metadata.namespace ?? '') : secretNamespace;
        for (const host of hosts) found.set(host.toLowerCase(), { namespace, name: secretName });
      }
    }
    return found;
  }

  return {
    start() {
      subscription = store.watch({ kind: ingresses }, () => (secretOf = undefined));
    },
    certificateFor(serverName) {
      secretOf ??= index();
      const name = serverName.toLowerCase();
      const reference = secretOf.get(name) ?? secretOf.get(`*${name.slice(Math.max(0, name.indexOf('.')))}`);
      const secret = reference === undefined ? undefined : store.view.get(secrets, reference.namespace, reference.name);
      if (secret === undefined) return undefined;
      let certificate = parsed.get(secret);
      if (certificate === undefined) {
        const cert = textOf(secret, 'tls.crt');
        const key = textOf(secret, 'tls.key');
        if (cert === undefined || key === undefined) return undefined;
        parsed.set(secret, (certificate = { cert, key }));
      }
      return certificate;
    },
    [Symbol.dispose]: () => subscription?.[Symbol.dispose](),
  };
}

function textOf({ data, stringData }: Secret, key: string): string | undefined {
  const encoded = data?.[key];
  return stringData?.[key] ?? (encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8'));
}
