import { get } from 'node:https';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { assignShares, createDataPlaneWorkers } from '../../../src/serving/data-plane/index.ts';
import { selfSigned } from './certificate.ts';
import { ask, ingress, openCountingBackend } from './workers-setup.ts';

test('shares never exceed the hard limit and leave no capacity unused', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 0, max: 20 }),
      (count, workers, limit) => {
        const ids = Array.from({ length: count }, (_, i) => `pod-${String(i).padStart(2, '0')}`);
        const shares = assignShares(ids, workers, limit);
        expect([...shares.keys()]).toEqual(ids);
        for (const of of shares.values()) {
          if (limit === 0) expect(of.size).toBe(workers);
          else expect([...of.values()].reduce((sum, share) => sum + share, 0)).toBe(limit);
        }
      },
    ),
  );
});

test('two workers share a port, hold the hard limit while instances come and go, and report as one', async () => {
  const coldStarts: string[] = [];
  const pool = createDataPlaneWorkers({ workers: 2, onColdStart: (revision) => coldStarts.push(revision) });
  onTestFinished(() => pool.close(0));
  const { url } = await pool.listen();
  pool.setIngress(ingress('hello-00001'));
  const key = 'default/hello-00001';
  void pool.setInstances(key, [], { containerConcurrency: 1 });

  const backends = [
    await openCountingBackend('pod-1', 3),
    await openCountingBackend('pod-2', 3),
    await openCountingBackend('pod-3', 3),
  ];
  const publish = (count: number): void =>
    void pool.setInstances(
      key,
      backends.slice(0, count).map(({ instance }) => instance),
      { containerConcurrency: 1 },
    );
  const first = Promise.all(Array.from({ length: 20 }, () => ask(url)));
  await expect.poll(() => coldStarts.length).toBeGreaterThan(0);
  // One instance with room for one request: a worker has it, the other one passes its requests on.
  publish(1);
  expect(new Set(await first)).toEqual(new Set([200]));
  expect(backends[0]?.mostAtOnce).toBe(1);

  let sent = 0;
  const statuses = new Map<number, number>();
  const client = async (): Promise<void> => {
    while (sent < 600) {
      sent++;
      const status = await ask(url);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const chaos = async (): Promise<void> => {
    for (const count of [3, 1, 2, 3, 2, 1, 3]) {
      const at = sent + 60;
      publish(count);
      while (sent < Math.min(at, 600)) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await Promise.all([chaos(), ...Array.from({ length: 12 }, client)]);
  expect(Object.fromEntries(statuses)).toEqual({ 200: 600 });
  expect(backends.map(({ mostAtOnce }) => mostAtOnce)).toEqual([1, 1, 1]);
  expect(backends.reduce((sum, { requests }) => sum + requests, 0)).toBe(620);

  const report = (await pool.reports()).get(key);
  expect((report?.requestCount ?? 0) - (report?.proxiedRequestCount ?? 0)).toBe(620);
  await pool.drain(key, 'pod-1');
  const before = backends[0]?.requests;
  expect(new Set(await Promise.all(Array.from({ length: 10 }, () => ask(url))))).toEqual(new Set([200]));
  expect(backends[0]?.requests).toBe(before);
});

test('an owner that closes lets requests finish; options are checked', async () => {
  expect(() => createDataPlaneWorkers({ workers: 0 })).toThrow(/workers must be at least 1/);
  const pool = createDataPlaneWorkers({ workers: 2 });
  const { url } = await pool.listen();
  pool.setIngress(ingress('slow-00001'));
  const backend = await openCountingBackend('slow', 300);
  await pool.setInstances('default/slow-00001', [backend.instance]);
  const answer = ask(url);
  await expect.poll(() => backend.requests).toBe(1);
  await pool.close();
  expect(await answer).toBe(200);
  await expect(ask(url)).rejects.toThrow();
});

test('a client finds its instance again whichever worker it comes to, and what is passed on keeps its scheme', async () => {
  const pool = createDataPlaneWorkers({ workers: 2 });
  onTestFinished(() => pool.close(0));
  const { tlsPort } = await pool.listen({ tls: { unnamed: selfSigned('shop.example.com') } });
  pool.setIngress(ingress('hello-00001'));
  const backends = await Promise.all(['pod-1', 'pod-2', 'pod-3'].map((id) => openCountingBackend(id, 0)));
  const settings = { containerConcurrency: 2, sessionAffinity: true };
  await pool.setInstances(
    'default/hello-00001',
    backends.map(({ instance }) => instance),
    settings,
  );
  const visit = (cookie?: string): Promise<{ body: string; cookies: string[] }> =>
    new Promise((resolve, reject) => {
      const headers = cookie === undefined ? {} : { cookie };
      get({ host: '127.0.0.1', port: tlsPort, agent: false, rejectUnauthorized: false, headers }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () => resolve({ body, cookies: response.headers['set-cookie'] ?? [] }));
      }).on('error', reject);
    });
  const first = await Promise.all(Array.from({ length: 8 }, () => visit()));
  expect(first.filter(({ cookies }) => cookies[0]?.includes('; Secure') === true)).toHaveLength(8);
  for (const pod of ['pod-1', 'pod-2', 'pod-3']) {
    for (let i = 0; i < 6; i++) expect(await visit(`K-AFFINITY=${pod}`)).toEqual({ body: pod, cookies: [] });
  }
  const report = (await pool.reports()).get('default/hello-00001');
  expect(report?.proxiedRequestCount).toBeGreaterThan(0);
});
