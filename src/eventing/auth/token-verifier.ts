import type { JSONWebKeySet, JWTPayload } from 'jose';
import { realClock, type Clock } from '../../clock.ts';
import { KnativeError } from '../../errors.ts';
import type { HttpClient } from '../../http/exchange.ts';
import { silentLogger, type Logger } from '../../logger.ts';

/** What a valid token says. */
export interface TokenIdentity {
  readonly subject: string;
}

/** Checks OIDC tokens of one issuer. */
export interface TokenVerifier {
  /** Who an Authorization header speaks for, `undefined` when it does not hold a valid token for the audience. Never rejects. */
  verify(authorization: string | undefined, audience: string): Promise<TokenIdentity | undefined>;
}

export interface TokenVerifierOptions {
  /** Base of the issuer's discovery document: flag `oidc-discovery-base-url`. */
  readonly discoveryUrl: string;
  readonly client: HttpClient;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** A token may begin to hold this much later than now. */
const notBeforeLeewayMs = 5 * 60_000;
/** Keys are asked for again no sooner than this, so that tokens with unknown keys cannot flood the issuer. */
const keysAgeMinMs = 10_000;
const keysAgeMaxMs = 3_600_000;
const answerBytesMax = 1024 * 1024;
// Signatures only: a symmetric algorithm would take the public key for a secret.
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

interface Keys {
  readonly issuer: string;
  readonly keys: JSONWebKeySet;
  readonly atMs: number;
}

/** Fetches the issuer's keys on first use and keeps them for an hour; a token with a key that is not among them leads to another look. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const clock = options.clock ?? realClock;
  const logger = options.logger ?? silentLogger;
  let loading: Promise<Keys> | undefined;

  function load(): Promise<Keys> {
    const loaded = fetchKeys(options, clock);
    loading = loaded;
    loaded.catch(() => {
      if (loading === loaded) loading = undefined;
    });
    return loaded;
  }

  async function keysFor(kid: string | undefined): Promise<Keys> {
    const keys = await (loading ?? load());
    const ageMs = clock.now() - keys.atMs;
    const known = kid === undefined || keys.keys.keys.some((key) => key.kid === kid);
    return ageMs > keysAgeMaxMs || (!known && ageMs > keysAgeMinMs) ? load() : keys;
  }

  return {
    async verify(authorization, audience) {
      const token = /^Bearer ([^ ]+)$/.exec(authorization ?? '')?.[1];
      if (token === undefined) return undefined;
      try {
        const { decodeProtectedHeader } = await import('jose');
        const { issuer, keys } = await keysFor(decodeProtectedHeader(token).kid);
        return identityOf(await claimsOf(token, keys, issuer, audience, clock.now()), clock.now());
      } catch (error) {
        logger.debug({ error: String(error) }, 'token refused');
        return undefined;
      }
    },
  };
}

async function claimsOf(
  token: string,
  keys: JSONWebKeySet,
  issuer: string,
  audience: string,
  nowMs: number,
): Promise<JWTPayload> {
  const { createLocalJWKSet, jwtVerify, errors } = await import('jose');
  const checks = {
    issuer,
    audience,
    algorithms,
    currentDate: new Date(nowMs),
    // For the beginning; the end is checked to the second below.
    clockTolerance: notBeforeLeewayMs / 1_000,
    requiredClaims: ['exp'],
  };
  try {
    return (await jwtVerify(token, createLocalJWKSet(keys), checks)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      const verified = await jwtVerify(token, key, checks).catch(() => undefined);
      if (verified !== undefined) return verified.payload;
    }
    throw error;
  }
}

function identityOf({ exp, sub }: JWTPayload, nowMs: number): TokenIdentity | undefined {
  return exp === undefined || exp * 1_000 < nowMs ? undefined : { subject: sub ?? '' };
}

async function fetchKeys({ discoveryUrl, client }: TokenVerifierOptions, clock: Clock): Promise<Keys> {
  const document = await fetchJson(client, `${discoveryUrl.replace(/\/+$/, '')}/.well-known/openid-configuration`);
  const { issuer, jwks_uri: keysUrl } = document;
  if (typeof issuer !== 'string' || typeof keysUrl !== 'string') {
    throw new KnativeError('EVENTING_ISSUER_INVALID', `${discoveryUrl} does not describe an issuer`, { path: discoveryUrl });
  }
  const { keys } = await fetchJson(client, keysUrl);
  if (!Array.isArray(keys)) throw new KnativeError('EVENTING_ISSUER_INVALID', `${keysUrl} holds no keys`, { path: keysUrl });
  const usable = keys.filter(
    (key): key is JSONWebKeySet['keys'][number] => typeof key === 'object' && key !== null && 'kty' in key,
  );
  return { issuer, keys: { keys: usable }, atMs: clock.now() };
}

async function fetchJson(client: HttpClient, url: string): Promise<Record<string, unknown>> {
  const response = await client.request({ method: 'GET', url, rawHeaders: ['accept', 'application/json'] });
  const text = await response.text(answerBytesMax);
  const value: unknown = response.status === 200 ? JSON.parse(text) : undefined;
  if (typeof value === 'object' && value !== null) return { ...value };
  throw new KnativeError('EVENTING_ISSUER_INVALID', `${url} answered ${response.status}`, { path: url });
}
