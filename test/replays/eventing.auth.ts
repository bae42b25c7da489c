import { SignJWT, UnsecuredJWT, exportJWK, generateKeyPair, type CryptoKey, type JWK } from 'jose';
import { eventingFeatures } from '../../src/api/duck/features.ts';
import { createDeliveryCheck, createSenderCheck } from '../../src/eventing/auth/sender-check.ts';
import { createTokenVerifier } from '../../src/eventing/auth/token-verifier.ts';
import { createFilterHandler } from '../../src/eventing/filter-handler.ts';
import { compileSenderRule, type SenderRule } from '../../src/eventing/filters/event-policy.ts';
import { forwardEvents } from '../../src/eventing/forward-events.ts';
import { createIngress } from '../../src/eventing/ingress.ts';
import {
  expectedBody,
  expectedHeaders,
  transports,
  withWorld,
  type TransportName,
  type VectorRequest,
} from './eventing.world.ts';
import type { FileReplay } from './eventing.files.ts';
import { differencesOf } from './replay.ts';

interface TokenClaims {
  readonly aud?: string | string[];
  readonly sub?: string;
  readonly expSeconds?: number;
  readonly nbfSeconds?: number;
  readonly noExp?: boolean;
  readonly iss?: string;
  readonly alg?: string;
  readonly kid?: string;
  readonly key?: string;
  readonly tamper?: boolean;
}

interface AuthCase {
  readonly id: string;
  readonly component: 'ingress' | 'filter' | 'channel';
  readonly features: Readonly<Record<string, string>>;
  readonly audience?: string;
  readonly token?: TokenClaims;
  readonly authorization?: string;
  readonly policies?: readonly { readonly name: string; readonly from: string[]; readonly filters?: SenderRule['filters'] }[];
  readonly appliedPolicies?: readonly string[];
  readonly issuerUnreachable?: boolean;
  readonly noSubscription?: boolean;
  readonly noSubscriptionIdentity?: boolean;
  readonly request: VectorRequest;
  readonly response: { readonly status: number; readonly headers: Record<string, string>; readonly body: string };
  readonly forwarded: number;
}

const issuer = 'http://issuer';
const sender = 'system:serviceaccount:ns:sender';

interface TestKeys {
  readonly own: CryptoKey;
  readonly other: CryptoKey;
  readonly jwk: JWK;
}
let keys: Promise<TestKeys> | undefined;
async function makeKeys(): Promise<TestKeys> {
  const [own, other] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')]);
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'k1', use: 'sig', alg: 'RS256' };
  return { own: own.privateKey, other: other.privateKey, jwk };
}

async function sign(claims: TokenClaims): Promise<string> {
  const { own, other } = await (keys ??= makeKeys());
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const payload = {
    iss: claims.iss ?? issuer,
    ...(claims.sub === undefined ? {} : { sub: claims.sub }),
    ...(claims.aud === undefined ? {} : { aud: claims.aud }),
    ...(claims.noExp === true ? {} : { exp: nowSeconds + (claims.expSeconds ?? 3_600) }),
    ...(claims.nbfSeconds === undefined ? {} : { nbf: nowSeconds + claims.nbfSeconds }),
  };
  if (claims.alg === 'none') return new UnsecuredJWT(payload).encode();
  const header = { alg: claims.alg ?? 'RS256', kid: claims.kid ?? 'k1' };
  const key = header.alg.startsWith('HS') ? new TextEncoder().encode('x'.repeat(32)) : claims.key === 'other' ? other : own;
  const token = await new SignJWT(payload).setProtectedHeader(header).sign(key);
  if (claims.tamper !== true) return token;
  const [head, , signature] = token.split('.');
  const changed = Buffer.from(JSON.stringify({ ...payload, sub: 'system:serviceaccount:ns:boss' })).toString('base64url');
  return [head, changed, signature].join('.');
}

/** auth.json: tokens and event policies at ingress and filter. */
export const auth: FileReplay = function* (file, cases) {
  for (const item of cases) {
    const vector = item as unknown as AuthCase;
    if (vector.component === 'channel') {
      yield { file, id: vector.id, skip: 'channels come later', expected: undefined, check: () => [] };
      continue;
    }
    const { response, forwarded } = vector;
    const expected = {
      response: { status: response.status, headers: expectedHeaders(response.headers), body: expectedBody(response.body) },
      forwarded,
    };
    for (const transport of transports) {
      const check = async (wanted: never) => differencesOf(wanted, await run(vector, transport));
      yield { file, id: `${vector.id} ${transport}`, expected, check };
    }
  }
};

function run(vector: AuthCase, transport: TransportName): Promise<unknown> {
  return withWorld(transport, { channel: [{ status: 202 }], subscriber: [{ status: 202 }] }, async (world) => {
    const { client, requests, serve, send } = world;
    const { jwk } = await (keys ??= makeKeys());
    if (vector.issuerUnreachable !== true) {
      serve('issuer', (exchange) => {
        const document = exchange.target.startsWith('/.well-known/') ? { issuer, jwks_uri: `${issuer}/keys` } : { keys: [jwk] };
        exchange.respond(200, ['content-type', 'application/json'], JSON.stringify(document));
      });
    }
    const features = eventingFeatures(vector.features);
    const enabled = () => features.get('authentication-oidc') === 'Enabled';
    const verifier = createTokenVerifier({ discoveryUrl: issuer, client });
    const authorization = vector.token === undefined ? vector.authorization : `Bearer ${await sign(vector.token)}`;
    const headers = { ...vector.request.headers, ...(authorization === undefined ? {} : { Authorization: authorization }) };
    if (vector.component === 'ingress') {
      const broker = forwardEvents({ url: () => 'http://channel/', client });
      serve(
        'server',
        createIngress({
          brokerOf: (namespace, name) => (namespace === 'ns' && name === 'b1' ? broker : undefined),
          mayPublish: createSenderCheck({
            verifier,
            enabled,
            defaultMode: () => features.get('default-authorization-mode') ?? '',
            resourceOf: () => ({ audience: vector.audience, rules: rulesOf(vector) }),
          }),
        }),
      );
    } else {
      const target = { uid: 'uid-1', subscriber: 'http://subscriber/sub', reply: undefined, deadLetter: undefined };
      const identity = vector.noSubscriptionIdentity === true ? null : sender;
      serve(
        'server',
        createFilterHandler({
          client,
          triggerOf: (namespace, name) => (namespace === 'ns' && name === 't1' ? target : undefined),
          mayDeliver: createDeliveryCheck({
            verifier,
            enabled,
            identityOf: () => (vector.noSubscription === true ? undefined : identity),
          }),
        }),
      );
    }
    const response = await send('server', { ...vector.request, headers });
    return { response, forwarded: requests.length };
  });
}

function rulesOf({ policies = [], appliedPolicies = [] }: AuthCase): ReturnType<typeof compileSenderRule>[] | 'missing' {
  const rules = appliedPolicies.map((name) => policies.find((policy) => policy.name === name));
  if (rules.includes(undefined)) return 'missing';
  return rules.flatMap((policy) =>
    policy === undefined ? [] : [compileSenderRule({ subjects: policy.from, filters: policy.filters })],
  );
}
