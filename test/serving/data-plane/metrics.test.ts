// Names, units, attributes and bounds as upstream's activator and queue-proxy have them, in Prometheus' text.
import { expect, test } from 'vitest';
import { createMemoryNetwork } from '../../../src/http/index.ts';
import { createActivatorHandler, createQueueProxy } from '../../../src/serving/data-plane/index.ts';
import { createRegistry, type Registry } from '../../../src/telemetry/index.ts';
import { createWorld, instance, key, slow } from './activator-world.ts';

const labels = { service: 'hello', configuration: 'hello' };
const revision = 'k8s_namespace_name="default",kn_configuration_name="hello",kn_revision_name="hello",kn_service_name="hello"';

/** The lines of one metric, without the name. */
const series = (meter: Registry, name: string): string[] =>
  meter
    .prometheus()
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length));
const bounds = (meter: Registry, name: string): string =>
  [...new Set(series(meter, `${name}_bucket`).map((line) => /le="([^"]*)"/.exec(line)?.[1]))].join(' ');

const latencyBounds = '0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10 +Inf';
const sizeBounds = '0 5 10 25 50 75 100 250 500 750 1000 2500 5000 7500 10000 +Inf';

test("the activator's: http.server metrics by revision and route tag, from arrival; invocations from the instance on", async () => {
  const meter = createRegistry();
  const { activator, clock, get, advance } = createWorld({ meter });
  activator.setRevision(key, { labels, containerConcurrency: 1 });
  const answers = [get(), get('/', ['Knative-Serving-Tag', 'blue'])];
  await advance(2_000);
  expect(series(meter, 'kn_revision_request_queued')).toEqual([`{${revision}} 2`]);
  activator.setInstances(key, [instance('a', slow(clock, 1_000))], { labels, containerConcurrency: 1 });
  expect(series(meter, 'kn_revision_request_active')).toEqual([`{${revision}} 1`]);
  expect(series(meter, 'kn_serving_queue_depth')).toEqual([`{${revision}} 2`]);
  await advance(3_000);
  await Promise.all(answers);
  expect(series(meter, 'kn_serving_queue_depth')).toEqual([`{${revision}} 1`]);
  expect(series(meter, 'kn_serving_invocation_duration_seconds_sum')).toEqual([
    `{http_response_status_code="200",${revision}} 2`,
  ]);
  const httpOf = (tag: string): string =>
    `{http_request_method="GET",http_response_status_code="200",k8s_namespace_name="default",kn_configuration_name="hello",kn_revision_name="hello",kn_route_tag="${tag}",kn_service_name="hello",network_protocol_name="http",network_protocol_version="1.1",server_address="hello",url_scheme="http"}`;
  expect(series(meter, 'http_server_request_duration_seconds_sum')).toEqual([
    `${httpOf('kn:disabled')} 3`,
    `${httpOf('blue')} 4`,
  ]);
  expect(series(meter, 'http_server_request_body_size_bytes_sum')).toEqual([`${httpOf('kn:disabled')} 0`, `${httpOf('blue')} 0`]);
  expect(series(meter, 'http_server_response_body_size_bytes_sum')).toEqual([
    `${httpOf('kn:disabled')} 4`,
    `${httpOf('blue')} 4`,
  ]);
  expect(bounds(meter, 'http_server_request_duration_seconds')).toBe(latencyBounds);
  expect(bounds(meter, 'kn_serving_invocation_duration_seconds')).toBe(latencyBounds);
  expect(bounds(meter, 'http_server_response_body_size_bytes')).toBe(sizeBounds);
});

test('a request that finds the queue full is measured and counted, but is no invocation', async () => {
  const meter = createRegistry();
  const { activator, get, advance } = createWorld({ meter });
  activator.setRevision(key, { labels, queueDepth: 1 });
  void get().catch(() => undefined);
  await advance(0);
  expect((await get()).status).toBe(503);
  expect(series(meter, 'http_server_request_duration_seconds_count')).toEqual([
    expect.stringMatching(/http_response_status_code="503".* 1$/),
  ]);
  expect(series(meter, 'kn_serving_invocation_duration_seconds_count')).toEqual([]);
  expect(activator.report(key)?.requestCount).toBe(2);
});

test('made-up methods are one, ports only where they are no default', async () => {
  const meter = createRegistry();
  const { activator } = createWorld({ meter });
  activator.setInstances(key, [instance('a')], { labels });
  const { client } = createMemoryNetwork({ fallback: createActivatorHandler({ activator }) });
  const rawHeaders = ['Knative-Serving-Namespace', 'default', 'Knative-Serving-Revision', 'hello'];
  for (const [method, url] of [
    ['BREW', 'http://pot/'],
    ['WHIP', 'http://pot/'],
    ['GET', 'http://pot:80/'],
    ['GET', 'http://pot:8080/'],
  ] as const)
    await client.request({ method, url, rawHeaders });
  const seen = series(meter, 'http_server_request_duration_seconds_count').map((line) =>
    [/request_method="([^"]*)"/, /server_address="([^"]*)"/, /server_port="([^"]*)"/, / (\d+)$/].map(
      (part) => part.exec(line)?.[1],
    ),
  );
  expect(seen).toEqual([
    ['_OTHER', 'pot', undefined, '2'],
    ['GET', 'pot', undefined, '1'],
    ['GET', 'pot', '8080', '1'],
  ]);
});

test("the queue-proxy's: the same without probes, by the tag of the route", async () => {
  const meter = createRegistry();
  const { clock, advance } = createWorld();
  const proxy = createQueueProxy({
    target: { handler: slow(clock, 1_000) },
    containerConcurrency: 1,
    clock,
    meter,
    attributes: { 'kn.revision.name': 'hello' },
  });
  const { client } = createMemoryNetwork({ fallback: proxy.handler });
  const ask = (...rawHeaders: string[]): Promise<unknown> => client.request({ method: 'GET', url: 'http://hello/', rawHeaders });
  const answers = [
    ask('Knative-Serving-Default-Route', 'true'),
    ask('Knative-Serving-Default-Route', 'true', 'Knative-Serving-Tag', 'gone'),
    ask('K-Kubelet-Probe', 'queue'),
    ask('K-Network-Probe', 'queue'),
  ];
  await advance(0);
  expect(series(meter, 'kn_serving_queue_depth')).toEqual(['{kn_revision_name="hello"} 2']);
  await advance(3_000);
  await Promise.all(answers);
  const sums = series(meter, 'http_server_request_duration_seconds_sum').map((line) =>
    /route_tag="([^"]*)".* (\d+)$/.exec(line)?.slice(1),
  );
  expect(sums).toEqual([
    ['kn:default', '1'],
    ['kn:undefined', '2'],
  ]);
  expect(series(meter, 'kn_serving_invocation_duration_seconds_sum')).toEqual([
    '{http_response_status_code="200",kn_revision_name="hello"} 2',
  ]);
  await proxy.close();
});

test('a client that leaves counts as 499', async () => {
  const meter = createRegistry();
  const { activator, clock, get, advance } = createWorld({ meter });
  activator.setInstances(key, [instance('a', slow(clock, 60_000))], { labels });
  const leaving = new AbortController();
  const answer = get('/', [], leaving.signal);
  await advance(1_000);
  leaving.abort();
  await expect(answer).rejects.toThrow();
  await advance(0);
  expect(series(meter, 'kn_serving_invocation_duration_seconds_count')).toEqual([
    `{http_response_status_code="499",${revision}} 1`,
  ]);
});
