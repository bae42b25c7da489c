import type { SecureContext, TlsOptions as NodeTlsOptions } from 'node:tls';
import { KnativeError, messageOf } from '../errors.ts';

/** A certificate chain with its key, both PEM. */
export interface TlsCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface TlsOptions {
  /**
   * The certificate for a server name, '' for clients that send none. Asked at each handshake: a new object takes effect at once,
   * without a restart. `undefined` refuses the name. For '' a promise counts as none: no handshake waits for it.
   */
  readonly certificateFor: (serverName: string) => TlsCertificate | undefined | Promise<TlsCertificate | undefined>;
}

const contexts = new WeakMap<TlsCertificate, SecureContext>();

function contextOf(certificate: TlsCertificate): SecureContext {
  const known = contexts.get(certificate);
  if (known !== undefined) return known;
  try {
    const { cert, key } = certificate;
    const context = process.getBuiltinModule('node:tls').createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
    contexts.set(certificate, context);
    return context;
  } catch (error) {
    throw new KnativeError('HTTP_CERTIFICATE_INVALID', `cannot use the certificate: ${messageOf(error)}`, { cause: error });
  }
}

/** The certificate for clients that send no server name. */
export function unnamedCertificate(certificateFor: TlsOptions['certificateFor']): TlsCertificate | undefined {
  const certificate = certificateFor('');
  return certificate instanceof Promise ? undefined : certificate;
}

/** node:tls options that look certificates up by server name. */
export function secureOptions({ certificateFor }: TlsOptions): NodeTlsOptions {
  const fallback = unnamedCertificate(certificateFor);
  return {
    ALPNProtocols: ['h2', 'http/1.1'],
    minVersion: 'TLSv1.2',
    ...(fallback === undefined ? {} : { cert: fallback.cert, key: fallback.key }),
    SNICallback(serverName, done) {
      const answer = (certificate: TlsCertificate | undefined): void => {
        if (certificate === undefined) done(new Error(`no certificate for ${serverName}`));
        else done(null, contextOf(certificate));
      };
      const fail = (error: unknown): void => done(error instanceof Error ? error : new Error(messageOf(error)));
      try {
        const certificate = certificateFor(serverName);
        if (certificate instanceof Promise) certificate.then(answer).catch(fail);
        else answer(certificate);
      } catch (error) {
        fail(error);
      }
    },
  };
}
