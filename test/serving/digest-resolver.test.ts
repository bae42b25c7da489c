import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../src/clock.ts';
import type { ClientRequest, ClientResponse, HttpClient } from '../../src/http/index.ts';
import { createDigestResolver } from '../../src/serving/index.ts';

const params = {
  namespace: 'default',
  serviceAccountName: '',
  imagePullSecrets: [],
  registriesSkippingTagResolving: [],
  timeoutMs: 10_000,
};

/** A registry whose answers are given as a function; never answers where that gives nothing. */
function registry(answer: (request: ClientRequest) => number | undefined): HttpClient & { readonly requests: string[] } {
  const requests: string[] = [];
  const close = (): Promise<void> => Promise.resolve();
  return {
    requests,
    request(request) {
      requests.push(`${request.method} ${request.url}`);
      const status = answer(request);
      if (status === undefined) {
        return new Promise((_resolve, reject) => {
          request.signal?.addEventListener('abort', () => {
            reject(request.signal?.reason as Error);
          });
        });
      }
      const headers: Record<string, string> = {
        'content-type': 'application/vnd.oci.image.index.v1+json',
        'content-length': '1',
        'docker-content-digest': `sha256:${'d'.repeat(64)}`,
      };
      const response: ClientResponse = {
        status,
        rawHeaders: Object.entries(headers).flat(),
        header: (name) => headers[name],
        body: (async function* () {
          yield await Promise.resolve(new Uint8Array());
        })(),
        bytes: () => Promise.resolve(new Uint8Array()),
        text: () => Promise.resolve(''),
      };
      return Promise.resolve(response);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
};

describe('resolving a tag', () => {
  test('a registry that is down for a moment is asked again after 1 s and 3 s', async () => {
    const clock = createVirtualClock();
    let failures = 2;
    const client = registry(({ method }) => (method === 'HEAD' && failures-- > 0 ? 503 : 200));
    const answer = createDigestResolver({ client, clock })('registry.example.com/app:v1', params);
    await settle();
    clock.advanceSync(1_000);
    await settle();
    clock.advanceSync(3_000);
    expect(await answer).toEqual({ digest: `registry.example.com/app@sha256:${'d'.repeat(64)}` });
    expect(client.requests.filter((request) => request.startsWith('HEAD'))).toHaveLength(3);
  });

  test('a registry that does not answer ends with the time-out', async () => {
    const clock = createVirtualClock();
    const answer = createDigestResolver({ client: registry(() => undefined), clock })('registry.example.com/app:v1', params);
    await settle();
    clock.advanceSync(10_000);
    expect(await answer).toEqual({ error: 'context deadline exceeded' });
  });

  test('a registry on this machine may speak plain HTTP', async () => {
    const clock = createVirtualClock();
    const client = registry(() => 200);
    const plain: HttpClient = {
      ...client,
      request: (request) => (request.url.startsWith('https:') ? Promise.reject(new Error('no TLS')) : client.request(request)),
    };
    const resolve = createDigestResolver({ client: plain, clock });
    expect(await resolve('localhost:5000/app', params)).toHaveProperty('digest');
    expect(await resolve('registry.example.com/app', params)).toEqual({
      error: 'Get "https://registry.example.com/v2/": no TLS',
    });
  });
});
