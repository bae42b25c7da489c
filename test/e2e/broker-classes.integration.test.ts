// Broker classes whose events are kept by a server: Broker and Trigger resources over NATS JetStream and RabbitMQ.
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, afterEach, expect, test } from 'vitest';
import { jetStreamLog, rabbitMqLog, type EventLog } from '../../src/eventing/index.ts';
import { defineFunction } from '../../src/functions/index.ts';
import { createHost, type Host } from '../../src/host/index.ts';
import { deleteRabbitMq, reachable, runName } from '../eventing/logs/servers.ts';

let host: Host | undefined;
afterEach(async () => {
  await host?.close();
  host = undefined;
});

const manifest = (brokerClass: string): string => `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: served
  annotations:
    eventing.knative.dev/broker.class: ${brokerClass}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: taker
spec:
  template:
    spec:
      containers:
        - image: example.com/taker
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: all
spec:
  broker: served
  subscriber:
    ref:
      apiVersion: serving.knative.dev/v1
      kind: Service
      name: taker
`;

const nameOf = (broker: string): string => `${runName}-${broker.replace('/', '-')}`;
afterAll(async () => {
  if (await reachable(5672)) await deleteRabbitMq(nameOf('default/served'));
  if (!(await reachable(4222))) return;
  const nats = await connect();
  const manager = await jetstreamManager(nats);
  for await (const name of manager.streams.names()) if (name.startsWith(runName)) await manager.streams.delete(name);
  await nats.close();
});

const servers: { brokerClass: string; server: string; port: number; log: (broker: string) => EventLog }[] = [
  {
    brokerClass: 'NatsJetStreamBroker',
    server: 'NATS',
    port: 4222,
    log: (broker) => jetStreamLog({ stream: nameOf(broker) }),
  },
  {
    brokerClass: 'RabbitMQBroker',
    server: 'RabbitMQ',
    port: 5672,
    log: (broker) => rabbitMqLog({ prefix: nameOf(broker) }),
  },
];

test.for(servers)(
  'a broker of class $brokerClass keeps its events in $server',
  { timeout: 60_000 },
  async ({ brokerClass, server, port, log }, context) => {
    if (!(await reachable(port))) context.skip(`${server} is not here`);
    const taken: string[] = [];
    let arrived: () => void = () => undefined;
    const all = new Promise<void>((resolve) => (arrived = resolve));
    const running = (host = await createHost({
      brokerClasses: { [brokerClass]: log },
      images: {
        'example.com/taker': defineFunction.event((_context, event) => {
          taken.push(event.id);
          if (taken.length === 3) arrived();
        }),
      },
    }));
    await running.apply(manifest(brokerClass));
    await running.ready('brokers.eventing.knative.dev', 'served');
    await running.ready('triggers.eventing.knative.dev', 'all');
    for (const id of ['1', '2', '3']) {
      const answer = await running.client.request({
        method: 'POST',
        url: 'http://broker-ingress.knative-eventing.svc.cluster.local/default/served',
        rawHeaders: ['ce-specversion', '1.0', 'ce-id', id, 'ce-source', '/test', 'ce-type', 'x'],
      });
      expect(answer.status).toBe(202);
    }
    await all;
    expect(taken.sort()).toEqual(['1', '2', '3']);
  },
);
