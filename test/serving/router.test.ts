import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/random.ts';
import {
  createFastifyRouteHook,
  createHonoRouteMiddleware,
  createRouteMiddleware,
  createRouter,
  routeOf,
  withRoute,
  type RoutableIngress,
  type RouteMatch,
} from '../../src/serving/index.ts';

type Rule = NonNullable<NonNullable<RoutableIngress['spec']>['rules']>[number];

const split = (revision: string, percent: number) => ({
  serviceNamespace: 'default',
  serviceName: revision,
  servicePort: 80,
  percent,
  appendHeaders: { 'Knative-Serving-Revision': revision, 'Knative-Serving-Namespace': 'default' },
});

function ingress(name: string, rules: readonly Rule[], httpOption?: string): RoutableIngress {
  return {
    metadata: { name, namespace: 'default', generation: 1 },
    spec: { rules, ...(httpOption !== undefined && { httpOption }) },
  };
}

const plain = (host: string, revision: string): Rule => ({
  hosts: [host],
  visibility: 'ExternalIP',
  http: { paths: [{ splits: [split(revision, 100)] }] },
});

const request = (host: string, path = '/', headers: Record<string, string> = {}) => ({
  host,
  path,
  header: (name: string) => headers[name],
});

describe('hosts', () => {
  const local: Rule = {
    hosts: ['a.default', 'a.default.svc', 'a.default.svc.cluster.local'],
    visibility: 'ClusterLocal',
    http: { paths: [{ splits: [split('a-1', 100)] }] },
  };

  test.each(['a.default.example.com', 'A.Default.Example.COM', 'a.default.example.com:8080', 'a.default.example.com.'])(
    '%s is the route',
    (host) => {
      expect(createRouter([ingress('a', [plain('a.default.example.com', 'a-1')])]).match(request(host))?.revision).toBe('a-1');
    },
  );

  test('the short forms of a cluster-local name are stored once', () => {
    const router = createRouter([ingress('a', [local])]);
    expect(router.hostCount).toBe(1);
    for (const host of ['a.default', 'a.default.svc', 'a.default.svc.cluster.local', 'A.default.svc:80']) {
      expect(router.match(request(host))?.revision).toBe('a-1');
    }
    expect(router.match(request('a.default.cluster.local'))).toBeUndefined();
    expect(router.match(request('b.default.svc'))).toBeUndefined();
  });

  test('cluster-local hosts do not exist for a public listener', () => {
    const router = createRouter([ingress('a', [local])]);
    expect(router.match({ ...request('a.default'), listener: 'public' })).toBeUndefined();
  });

  test('a host that is only a prefix of another does not match', () => {
    const router = createRouter([ingress('a', [plain('example.com', 'a-1')])]);
    expect(router.match(request('example.com.evil.org'))).toBeUndefined();
  });

  test('an Ingress rule without http matches nothing', () => {
    const router = createRouter([ingress('a', [{ hosts: ['a.example.com'] }])]);
    expect(router.match(request('a.example.com'))).toBeUndefined();
  });
});

describe('paths, headers and splits', () => {
  test('a tag header selects, the path without header takes the rest', () => {
    const router = createRouter([
      ingress('a', [
        {
          hosts: ['a.example.com'],
          http: {
            paths: [
              { headers: { 'Knative-Serving-Tag': { exact: 'blue' } }, splits: [split('a-1', 100)] },
              { headers: { 'Knative-Serving-Tag': { exact: 'green' } }, splits: [split('a-2', 100)] },
              { splits: [split('a-3', 100)], appendHeaders: { 'Knative-Serving-Default-Route': 'true' } },
            ],
          },
        },
      ]),
    ]);
    const by = (tag?: string): RouteMatch | undefined =>
      router.match(request('a.example.com', '/', tag === undefined ? {} : { 'knative-serving-tag': tag }));
    expect(by('blue')).toMatchObject({ revision: 'a-1', tag: 'blue' });
    expect(by('green')).toMatchObject({ revision: 'a-2', tag: 'green' });
    expect(by('red')).toMatchObject({ revision: 'a-3', tag: undefined });
    expect(by()?.appendHeaders).toContain('Knative-Serving-Default-Route');
  });

  test('longer paths go first, whatever their order', () => {
    const router = createRouter([
      ingress('a', [
        {
          hosts: ['a.example.com'],
          http: {
            paths: [
              { splits: [split('root', 100)] },
              { path: '/.well-known/acme-challenge/x', splits: [split('solver', 100)] },
              { path: '/.well-known', splits: [split('known', 100)] },
            ],
          },
        },
      ]),
    ]);
    expect(router.match(request('a.example.com', '/.well-known/acme-challenge/x'))?.serviceName).toBe('solver');
    expect(router.match(request('a.example.com', '/.well-known/y'))?.serviceName).toBe('known');
    expect(router.match(request('a.example.com', '/other'))?.serviceName).toBe('root');
  });

  test('splits follow their weights, reproducibly by seed', () => {
    const rule: Rule = {
      hosts: ['a.example.com'],
      http: { paths: [{ splits: [split('x', 70), split('y', 0), split('z', 30)] }] },
    };
    const draw = (seed: number): string[] => {
      const router = createRouter([ingress('a', [rule])], { random: createRandom(seed) });
      return Array.from({ length: 10_000 }, () => router.match(request('a.example.com'))?.serviceName ?? '');
    };
    const drawn = draw(1);
    expect(drawn).toEqual(draw(1));
    expect(drawn).not.toContain('y');
    expect(drawn.filter((name) => name === 'x').length / drawn.length).toBeCloseTo(0.7, 1);
  });
});

describe('explain', () => {
  const router = createRouter([
    ingress('a', [
      plain('a.example.com', 'a-1'),
      { hosts: ['a.default'], visibility: 'ClusterLocal', http: { paths: [{ path: '/x', splits: [split('a-1', 100)] }] } },
    ]),
  ]);
  test.each([
    [request('A.example.com:80'), 'routed', 'a.example.com belongs to default/a: a-1 (100 %).'],
    [request('b.example.com'), 'unknown-host', 'No Ingress has the host b.example.com.'],
    [
      { ...request('a.default'), listener: 'public' as const },
      'cluster-local-host',
      'a.default of default/a is reachable inside of the cluster only.',
    ],
    [request('a.default', '/y'), 'no-path', 'default/a has a.default, but no path of it takes /y with these headers.'],
  ])('%o', (asked, outcome, sentence) => {
    expect(router.explain(asked)).toMatchObject({ outcome, sentence });
  });
});

describe('changes', () => {
  test('a host that two Ingresses claim belongs to the first, and goes to the other when that is gone', () => {
    const router = createRouter([ingress('a', [plain('x.example.com', 'a-1')]), ingress('b', [plain('x.example.com', 'b-1')])]);
    expect(router.match(request('x.example.com'))?.revision).toBe('a-1');
    router.set(ingress('a', [plain('x.example.com', 'a-2')]));
    expect(router.match(request('x.example.com'))?.revision).toBe('a-2');
    expect(router.delete('default/a')).toBe(true);
    expect(router.match(request('x.example.com'))?.revision).toBe('b-1');
    expect(router.delete('default/a')).toBe(false);
  });

  test('has tells whether a generation is served', () => {
    const router = createRouter([ingress('a', [])]);
    expect(router.has('default/a', 1)).toBe(true);
    expect(router.has('default/a', 2)).toBe(false);
  });

  test('after any sequence of changes it equals a router made anew, and a host that stays never misses', () => {
    const hosts = ['a.example.com', 'b.example.com', 'c.example.com'];
    const change = fc.record({
      name: fc.constantFrom('one', 'two', 'three'),
      hosts: fc.uniqueArray(fc.constantFrom(...hosts), { minLength: 0, maxLength: 3 }),
      remove: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const router = createRouter([ingress('kept', [plain('kept.example.com', 'kept-1')])]);
        const current = new Map<string, RoutableIngress>();
        changes.forEach(({ name, hosts: own, remove }, step) => {
          if (remove) {
            router.delete(`default/${name}`);
            current.delete(name);
          } else {
            const next = ingress(
              name,
              own.map((host) => plain(host, `${name}-${step}`)),
            );
            router.set(next);
            current.set(name, next);
          }
          expect(router.match(request('kept.example.com'))?.revision).toBe('kept-1');
          for (const host of hosts) {
            const owners = [...current.values()].filter(({ spec }) => spec?.rules?.some((rule) => rule.hosts?.includes(host)));
            const served = router.match(request(host))?.revision;
            if (owners.length === 0) expect(served).toBeUndefined();
            else
              expect(
                owners.map(
                  ({ spec }) =>
                    spec?.rules?.find((rule) => rule.hosts?.includes(host))?.http?.paths?.[0]?.splits?.[0]?.serviceName,
                ),
              ).toContain(served);
          }
        });
        expect(router.ingressCount).toBe(current.size + 1);
      }),
    );
  });
});

describe('as middleware', () => {
  const mapping: Rule = {
    hosts: ['mapped.example.org'],
    http: {
      paths: [
        {
          rewriteHost: 'a.default.svc.cluster.local',
          splits: [
            {
              serviceNamespace: 'default',
              serviceName: 'a',
              servicePort: 80,
              percent: 100,
              appendHeaders: { 'K-Original-Host': 'mapped.example.org' },
            },
          ],
        },
      ],
    },
  };
  const router = createRouter([ingress('a', [plain('a.example.com', 'a-1'), mapping], 'Redirected')]);

  function run(host: string, options = {}) {
    const seen: { status?: number; location?: string; next: boolean } = { next: false };
    const incoming = { url: '/x?y', headers: { host } as Record<string, string | string[] | undefined> };
    const response = {
      statusCode: 200,
      setHeader: (name: string, value: string) => name === 'location' && (seen.location = value),
      end: () => (seen.status = response.statusCode),
    };
    createRouteMiddleware(router, options)(incoming, response, () => (seen.next = true));
    return { ...seen, headers: incoming.headers, match: routeOf(incoming) };
  }

  test('node:http and Express: headers are set and the match is kept', () => {
    const result = run('a.example.com');
    expect(result.next).toBe(true);
    expect(result.headers['knative-serving-revision']).toBe('a-1');
    expect(result.match?.revision).toBe('a-1');
  });

  test('a mapped domain goes on with the host of its Service', () => {
    expect(run('mapped.example.org').headers).toMatchObject({
      host: 'a.default.svc.cluster.local',
      'k-original-host': 'mapped.example.org',
    });
  });

  test('what no Ingress has is 404, or passed on when asked for', () => {
    expect(run('other.example.com')).toMatchObject({ status: 404, next: false });
    expect(run('other.example.com', { passUnmatched: true })).toMatchObject({ next: true });
  });

  test('plain requests to an Ingress that redirects get 301', () => {
    expect(run('a.example.com', { isPlain: () => true })).toMatchObject({ status: 301, location: 'https://a.example.com/x?y' });
  });

  test('Fastify', () => {
    let done = false;
    const raw = { url: '/', headers: { host: 'a.example.com' } as Record<string, string | string[] | undefined> };
    const reply = { code: () => undefined, header: () => undefined, send: () => undefined };
    createFastifyRouteHook(router)({ raw }, reply, () => (done = true));
    expect(done).toBe(true);
    expect(routeOf(raw)?.revision).toBe('a-1');
  });

  test('Hono', async () => {
    const variables = new Map<string, RouteMatch>();
    const raw = new Request('http://a.example.com/x');
    const context = { req: { raw }, set: (name: 'route', match: RouteMatch) => void variables.set(name, match) };
    expect(await createHonoRouteMiddleware(router)(context, () => Promise.resolve())).toBeUndefined();
    const match = variables.get('route');
    expect(match?.revision).toBe('a-1');
    expect(match && withRoute(raw, match).headers.get('knative-serving-revision')).toBe('a-1');
    const missed = { ...context, req: { raw: new Request('http://none.example.com/') } };
    expect((await createHonoRouteMiddleware(router)(missed, () => Promise.resolve()))?.status).toBe(404);
  });
});
