import type { CryptoKey, JWK } from 'jose';
import { realClock, type Clock } from '../../clock.ts';
import type { Handler } from '../../http/exchange.ts';

export interface TokenIssuerOptions {
  /** What tokens name as their issuer: the URL under which `handler` answers. */
  readonly issuer: string;
  /** How long a token holds; default one hour, as upstream's. */
  readonly lifetimeMs?: number;
  readonly clock?: Clock;
}

/** Issues tokens for what this process sends, and publishes the key to check them with. */
export interface TokenIssuer {
  /** A token for a receiver, kept until it is about to end. */
  token(subject: string, audience: string): Promise<string>;
  /** Headers with such a token, for `TriggerOptions.rawHeaders`. */
  headers(subject: string, audience: string): Promise<readonly string[]>;
  /** Answers the discovery document and the keys. */
  readonly handler: Handler;
}

/** Tokens are renewed when they have less than this left. */
const renewalMs = 5 * 60_000;
const keyId = 'k1';

/** An OIDC issuer with a key of its own, made on first use: what signs for the service accounts of a host without a cluster. */
export function createTokenIssuer({ issuer, lifetimeMs = 3_600_000, clock = realClock }: TokenIssuerOptions): TokenIssuer {
  let keys: Promise<{ readonly privateKey: CryptoKey; readonly jwk: JWK }> | undefined;
  const tokens = new Map<string, { readonly text: Promise<string>; readonly endMs: number }>();
  const base = issuer.replace(/\/+$/, '');

  const load = async (): Promise<{ privateKey: CryptoKey; jwk: JWK }> => {
    const { exportJWK, generateKeyPair } = await import('jose');
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: keyId, use: 'sig', alg: 'ES256' } };
  };

  async function sign(subject: string, audience: string, nowMs: number): Promise<string> {
    const { SignJWT } = await import('jose');
    const { privateKey } = await (keys ??= load());
    const nowSeconds = Math.floor(nowMs / 1_000);
    return new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(issuer)
      .setSubject(subject)
      .setAudience(audience)
      .setIssuedAt(nowSeconds)
      .setNotBefore(nowSeconds)
      .setExpirationTime(nowSeconds + Math.floor(lifetimeMs / 1_000))
      .sign(privateKey);
  }

  function token(subject: string, audience: string): Promise<string> {
    const key = `${subject}\n${audience}`;
    const nowMs = clock.now();
    const kept = tokens.get(key);
    if (kept !== undefined && kept.endMs - nowMs > Math.min(renewalMs, lifetimeMs / 2)) return kept.text;
    const text = sign(subject, audience, nowMs);
    tokens.set(key, { text, endMs: nowMs + lifetimeMs });
    return text;
  }

  return {
    token,
    headers: async (subject, audience) => ['Authorization', `Bearer ${await token(subject, audience)}`],
    async handler(exchange) {
      const json = ['content-type', 'application/json'];
      const path = new URL(exchange.target, base).pathname;
      if (path.endsWith('/.well-known/openid-configuration')) {
        const document = { issuer, jwks_uri: `${base}/jwks`, id_token_signing_alg_values_supported: ['ES256'] };
        exchange.respond(200, json, JSON.stringify(document));
      } else if (path.endsWith('/jwks')) {
        const { jwk } = await (keys ??= load());
        exchange.respond(200, json, JSON.stringify({ keys: [jwk] }));
      } else exchange.respond(404, []);
    },
  };
}
