import { Redis } from 'ioredis';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { jetStreamLog } from '../../../src/eventing/logs/jetstream.ts';
import { logSuite, type MakeLog } from '../../../src/testing/log-suite.ts';

const run = `kn${process.pid.toString(36)}${Date.now().toString(36)}`;
const capabilities = ['replay', 'ack-single'] as const;
let caseNumber = 0;

const reachable = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });

describe.skipIf(!(await reachable(4222)))('JetStream log (skipped without a NATS server on port 4222)', () => {
  afterAll(async () => {
    const nc = await connect();
    const jsm = await jetstreamManager(nc);
    for await (const name of jsm.streams.names()) if (name.startsWith(run)) await jsm.streams.delete(name);
    await nc.close();
  });
  const make = (): MakeLog => {
    const own = `${run}-${++caseNumber}`;
    return (key) => jetStreamLog({ stream: `${own}-${key}`, ackWaitMs: 2_000, bytesMax: 64 * 1024 * 1024 });
  };
  test.each(logSuite({ durable: true, capabilities: [...capabilities, 'extend'] }))('$group: $name', async (rule) => await rule.run(make()));
});
