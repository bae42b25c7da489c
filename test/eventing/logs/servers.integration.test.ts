import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jetStreamLog } from '../../../src/eventing/logs/jetstream.ts';
import { rabbitMqLog } from '../../../src/eventing/logs/rabbitmq.ts';
import { redisStreamsLog } from '../../../src/eventing/logs/redis.ts';
import { logSuite, type MakeLog } from '../../../src/testing/log-suite.ts';
import { deleteRabbitMq, ownRedis, reachable, runName, type OwnServer } from './servers.ts';

const capabilities = ['replay', 'ack-single'] as const;
let caseNumber = 0;

describe.skipIf(!(await reachable(4222)))('JetStream log (skipped without a NATS server on port 4222)', () => {
  afterAll(async () => {
    const nc = await connect();
    const jsm = await jetstreamManager(nc);
    for await (const name of jsm.streams.names()) if (name.startsWith(runName)) await jsm.streams.delete(name);
    await nc.close();
  });
  const make = (): MakeLog => {
    const own = `${runName}-${++caseNumber}`;
    return (key) => jetStreamLog({ stream: `${own}-${key}`, ackWaitMs: 1_000, bytesMax: 64 * 1024 * 1024 });
  };
  test.each(logSuite({ durable: true, capabilities: [...capabilities, 'extend'] }))(
    '$group: $name',
    async (rule) => await rule.run(make()),
  );
});

describe.skipIf(!(await reachable(5672)))('RabbitMQ log (skipped without a RabbitMQ server on port 5672)', () => {
  const made = new Set<string>();
  afterAll(async () => {
    for (const prefix of made) await deleteRabbitMq(prefix);
  });
  const make = (): MakeLog => {
    const own = `${runName}-${++caseNumber}`;
    return (key) => {
      made.add(`${own}-${key}`);
      return rabbitMqLog({ prefix: `${own}-${key}`, replayBytes: 1_000_000 });
    };
  };
  test.each(logSuite({ durable: true, capabilities }))('$group: $name', async (rule) => await rule.run(make()));
});

describe.skipIf(!(await reachable(6379)))('Redis log (skipped without a Redis server on port 6379)', () => {
  let server: OwnServer;
  beforeAll(async () => {
    server = await ownRedis();
  });
  afterAll(async () => await server[Symbol.asyncDispose]());
  const make = (): MakeLog => {
    const own = `${runName}-${++caseNumber}`;
    return (key) => redisStreamsLog({ prefix: `${own}-${key}`, connection: { port: server.port } });
  };
  test.each(logSuite({ durable: true, capabilities }))('$group: $name', async (rule) => await rule.run(make()));

  test('a server without append-only file is refused as durable, and taken when asked for', async () => {
    await using memoryOnly = await ownRedis('--appendonly', 'no');
    const connection = { port: memoryOnly.port };
    await expect(redisStreamsLog({ prefix: runName, connection }).open()).rejects.toMatchObject({ code: 'EVENTING_LOG_REFUSED' });
    await using log = redisStreamsLog({ prefix: runName, connection, require: 'nothing' });
    await log.open();
    expect(log.guarantee).toContain('lost');
  });
});
