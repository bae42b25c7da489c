import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, describe, expect, test } from 'vitest';
import { createEvent } from '../../src/cloudevents/index.ts';
import type { EventLog } from '../../src/eventing/index.ts';
import { jetStreamLog } from '../../src/eventing/logs/jetstream.ts';
import { rabbitMqLog } from '../../src/eventing/logs/rabbitmq.ts';
import { redisStreamsLog } from '../../src/eventing/logs/redis.ts';
import { cutProxy, deleteRabbitMq, ownNats, ownRedis, reachable, runName } from '../eventing/logs/servers.ts';

interface Counts {
  acknowledged: number;
  refused: number;
  delivered: number;
  redelivered: number;
  lost: number;
  invented: number;
}

/** Sends and takes while `disturb` does harm; what was acknowledged must arrive. */
async function disturbed(log: EventLog, disturb: () => Promise<void>): Promise<Counts> {
  await log.open();
  const [every, some] = [log.trigger('every'), log.trigger('some')];
  const sent = new Set<string>();
  const owed = { every: new Set<string>(), some: new Set<string>() };
  const seen = { every: new Map<string, number>(), some: new Map<string, number>() };
  const counts: Counts = { acknowledged: 0, refused: 0, delivered: 0, redelivered: 0, lost: 0, invented: 0 };
  const consumers = ([every, some] as const).map((trigger, index) => {
    const times = index === 0 ? seen.every : seen.some;
    const consumer = trigger.consume({
      onReady: () => {
        setImmediate(() => {
          for (let next = consumer.next(); next !== undefined; next = consumer.next()) {
            const { id } = next.event;
            if (!sent.has(id) || (index === 1 && Number(id) % 3 !== 0)) counts.invented++;
            times.set(id, (times.get(id) ?? 0) + 1);
            next.ack();
          }
        });
      },
      prefetch: 50,
    });
    return consumer;
  });
  let over = false;
  let n = 0;
  const producers = Array.from({ length: 4 }, async () => {
    while (!over) {
      const id = String(++n);
      sent.add(id);
      try {
        await log.append(createEvent({ id, source: '/f', type: 't' }), Number(id) % 3 === 0 ? [every, some] : [every], []);
        counts.acknowledged++;
        owed.every.add(id);
        if (Number(id) % 3 === 0) owed.some.add(id);
      } catch (error) {
        expect(error).toMatchObject({ code: 'EVENTING_LOG_UNAVAILABLE', status: 503 });
        counts.refused++;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
  await disturb();
  over = true;
  await Promise.all(producers);
  const missing = (): string[] => [
    ...[...owed.every].filter((id) => !seen.every.has(id)),
    ...[...owed.some].filter((id) => !seen.some.has(id)),
  ];
  const deadline = Date.now() + 20_000;
  while (missing().length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  counts.lost = missing().length;
  for (const times of [seen.every, seen.some]) {
    counts.delivered += times.size;
    for (const each of times.values()) counts.redelivered += each - 1;
  }
  for (const consumer of consumers) consumer.close();
  await log.close();
  return counts;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const natsUp = await reachable(4222);
const rabbitUp = await reachable(5672);

async function cutThrice(proxy: { cut(): void; mend(): void }): Promise<void> {
  for (let cuts = 0; cuts < 3; cuts++) {
    await wait(250);
    proxy.cut();
    await wait(150);
    proxy.mend();
  }
  await wait(1_000);
}

function check(what: string, counts: Counts): void {
  console.log(`${what}: ${JSON.stringify(counts)}`);
  expect(counts).toMatchObject({ lost: 0, invented: 0 });
  expect(counts.acknowledged).toBeGreaterThan(20);
}

describe('a network that is cut three times', () => {
  afterAll(async () => {
    if (!natsUp) return;
    const nc = await connect();
    const jsm = await jetstreamManager(nc);
    for await (const name of jsm.streams.names()) if (name.startsWith(runName)) await jsm.streams.delete(name);
    await nc.close();
  });

  test.skipIf(!natsUp)('JetStream loses nothing (skipped without a NATS server on port 4222)', async () => {
    await using proxy = await cutProxy(4222);
    const connection = { servers: `127.0.0.1:${proxy.port}`, ignoreClusterUpdates: true };
    const log = jetStreamLog({ stream: `${runName}-cut`, connection, ackWaitMs: 1_000, bytesMax: 64 * 1024 * 1024 });
    check('JetStream, 3 cuts', await disturbed(log, () => cutThrice(proxy)));
  });

  test.skipIf(!rabbitUp)('RabbitMQ loses nothing (skipped without a RabbitMQ server on port 5672)', async () => {
    await using proxy = await cutProxy(5672);
    const prefix = `${runName}-cut`;
    const log = rabbitMqLog({ prefix, connection: `amqp://guest:guest@127.0.0.1:${proxy.port}`, replayBytes: 1_000_000 });
    check('RabbitMQ, 3 cuts', await disturbed(log, () => cutThrice(proxy)));
    await deleteRabbitMq(prefix);
  });

  test('Redis loses nothing', async () => {
    await using server = await ownRedis();
    await using proxy = await cutProxy(server.port);
    const log = redisStreamsLog({ prefix: runName, connection: { port: proxy.port, host: '127.0.0.1' } });
    check('Redis, 3 cuts', await disturbed(log, () => cutThrice(proxy)));
  });
});

describe('a server that is killed and started again', () => {
  const twice = async (server: { restart(): Promise<void> }): Promise<void> => {
    for (let restarts = 0; restarts < 2; restarts++) {
      await wait(400);
      await server.restart();
    }
    await wait(1_500);
  };

  test('JetStream loses nothing', async () => {
    await using server = await ownNats();
    const connection = { servers: `127.0.0.1:${server.port}` };
    const log = jetStreamLog({ stream: 'restart', connection, ackWaitMs: 1_000, bytesMax: 64 * 1024 * 1024 });
    check('NATS, 2 kills', await disturbed(log, () => twice(server)));
  });

  test('Redis with an append-only file loses nothing', async () => {
    await using server = await ownRedis();
    const log = redisStreamsLog({ prefix: runName, connection: { port: server.port } });
    check('Redis, 2 kills', await disturbed(log, () => twice(server)));
  });
});
