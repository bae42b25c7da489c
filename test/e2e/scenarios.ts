// The promises of the quickstart as scenarios that run unchanged over real sockets and on virtual time.
import { expect } from 'vitest';
import { pods, type Pod } from '../../src/api/core/pod.ts';
import { serverlessServices } from '../../src/api/networking/serverless-service.ts';
import type { Host } from '../../src/host/index.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What a scenario may do, whatever the world is made of. */
export interface World {
  readonly host: Host;
  /** A request to the gateway with this host name. */
  request(
    authority: string,
    path?: string,
    init?: { method?: string; headers?: Record<string, string>; body?: string },
  ): Promise<Answer>;
  /** Lets time pass until the condition holds; fails with `what` when it does not within `limitMs`. */
  until(what: string, condition: () => boolean | Promise<boolean>, limitMs: number): Promise<void>;
}

export function podsOf(host: Host, service: string): readonly Pod[] {
  return host
    .list(pods, { namespace: 'default', labels: { 'serving.knative.dev/service': service } })
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** A service at zero: no Pods, and the traffic path leads to the activator. */
export function isAtZero(host: Host, service: string): boolean {
  return (
    podsOf(host, service).length === 0 &&
    host
      .list(serverlessServices, { namespace: 'default', labels: { 'serving.knative.dev/service': service } })
      .every(({ spec }) => spec.mode === 'Proxy')
  );
}

export async function firstRequestAtZero(world: World): Promise<void> {
  await world.until('hello is at zero', () => isAtZero(world.host, 'hello'), 120_000);
  const answer = await world.request('hello.default.localhost');
  expect(answer.status).toBe(200);
  expect(['hello-00001', 'hello-00002']).toContain((JSON.parse(answer.body) as { revision: string }).revision);
}

export async function trafficSplit(world: World): Promise<void> {
  const counts = new Map<string, number>();
  for (let batch = 0; batch < 10; batch++) {
    const answers = await Promise.all(Array.from({ length: 100 }, () => world.request('hello.default.localhost')));
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      const { revision } = JSON.parse(body) as { revision: string };
      counts.set(revision, (counts.get(revision) ?? 0) + 1);
    }
  }
  expect(counts.get('hello-00001')).toBeGreaterThan(750);
  expect(counts.get('hello-00001')).toBeLessThan(850);
  expect((counts.get('hello-00001') ?? 0) + (counts.get('hello-00002') ?? 0)).toBe(1_000);
  for (let i = 0; i < 20; i++) {
    const tagged = await world.request('next-hello.default.localhost');
    expect(JSON.parse(tagged.body)).toMatchObject({ revision: 'hello-00002' });
  }
}

const greetingRequested = (id: string): { method: string; headers: Record<string, string>; body: string } => ({
  method: 'POST',
  headers: {
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': '/test',
    'ce-type': 'greeting.requested',
    'content-type': 'application/json',
  },
  body: JSON.stringify({ name: 'Ada' }),
});

export async function eventAndReply(world: World): Promise<void> {
  const accepted = await world.request(
    'broker-ingress.knative-eventing.localhost',
    '/default/default',
    greetingRequested('binary-1'),
  );
  expect(accepted.status).toBe(202);
  const structured = await world.request('localhost', '/default/default', {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({
      specversion: '1.0',
      id: 'structured-1',
      source: '/test',
      type: 'greeting.requested',
      data: { name: 'Grace' },
    }),
  });
  expect(structured.status).toBe(202);
  let inbox: { type: string; data: { greeting: string } }[] = [];
  await world.until(
    'both replies are in the inbox',
    async () => {
      inbox = JSON.parse((await world.request('inbox.default.localhost')).body) as typeof inbox;
      return inbox.length >= 2;
    },
    60_000,
  );
  expect(inbox.map(({ type }) => type)).toEqual(['greeting.sent', 'greeting.sent']);
  expect(inbox.map(({ data }) => data.greeting).sort()).toEqual(['Hello, Ada!', 'Hello, Grace!']);
}

export async function backToZero(world: World): Promise<void> {
  expect((await world.request('hello.default.localhost')).status).toBe(200);
  expect(podsOf(world.host, 'hello').length).toBeGreaterThan(0);
  await world.until('hello is back at zero', () => isAtZero(world.host, 'hello'), 120_000);
}

/** A service that tells how many requests its Pod has had at once; each takes `workMs`. */
export const oneAtATimeManifest = (image: string): string => `
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: narrow
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/max-scale: "5"
        autoscaling.knative.dev/window: 6s
    spec:
      containerConcurrency: 1
      containers:
        - image: ${image}
`;

export async function oneAtATime(world: World): Promise<void> {
  await world.host.ready('services.serving.knative.dev', 'narrow', { timeoutMs: 60_000 });
  let podsMax = 0;
  const watch = world.host.watch((event) => {
    if (event.kind === pods) podsMax = Math.max(podsMax, podsOf(world.host, 'narrow').length);
  });
  const answers = await Promise.all(Array.from({ length: 200 }, () => world.request('narrow.default.localhost')));
  watch[Symbol.dispose]();
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(Math.max(...answers.map(({ body }) => (JSON.parse(body) as { atOnce: number }).atOnce))).toBe(1);
  expect(podsMax).toBeLessThanOrEqual(5);
  expect(podsMax).toBeGreaterThan(1);
}
