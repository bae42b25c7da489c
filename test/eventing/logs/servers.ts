import amqp from 'amqplib';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rabbitMqLog } from '../../../src/eventing/logs/rabbitmq.ts';

// Servers for tests: those that run on their usual port, and own instances that a test may end.

/** Starts the names of everything that this process makes on shared servers. */
export const runName = `kn${process.pid.toString(36)}${Date.now().toString(36)}`;

export function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

export interface OwnServer extends AsyncDisposable {
  readonly port: number;
  /** Kill -9, then the same again on the same files and port. */
  restart(): Promise<void>;
}

async function ownServer(program: string, args: (port: number, folder: string) => string[]): Promise<OwnServer> {
  const folder = mkdtempSync(join(tmpdir(), 'knative-embed-server-'));
  const port = await freePort();
  const start = async () => {
    const child = spawn(program, args(port, folder), { stdio: 'ignore' });
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    for (let tries = 0; !(await Promise.race([reachable(port), failed])); tries++) {
      if (tries > 200) throw new Error(`${program} does not listen`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return child;
  };
  let child = await start();
  const kill = async (): Promise<void> => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  return {
    port,
    restart: async () => {
      await kill();
      child = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const ownNats = (): Promise<OwnServer> =>
  ownServer('nats-server', (port, folder) => ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder]);

export const ownRedis = (...more: string[]): Promise<OwnServer> =>
  ownServer('redis-server', (port, folder) => [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    ...['--appendonly', 'yes', '--appendfsync', 'always', ...more],
  ]);

/** Removes what a RabbitMQ log of this prefix made. */
export async function deleteRabbitMq(prefix: string): Promise<void> {
  const log = rabbitMqLog({ prefix, replay: false });
  await log.open();
  for (const name of log.triggers) await log.remove(name);
  await log.close();
  const connection = await amqp.connect('amqp://guest:guest@127.0.0.1:5672');
  const channel = await connection.createChannel();
  await channel.deleteQueue(`${prefix}.stream`);
  await channel.deleteQueue(`${prefix}.journal`);
  await channel.deleteExchange(prefix);
  await connection.close();
}

/** A TCP proxy that a test can cut: present connections break, new ones are refused until it is mended. */
export interface CutProxy extends AsyncDisposable {
  readonly port: number;
  cut(): void;
  mend(): void;
}

export async function cutProxy(target: number): Promise<CutProxy> {
  const sockets = new Set<Socket>();
  let whole = true;
  const server = createServer((near) => {
    if (!whole) {
      near.destroy();
      return;
    }
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    whole = false;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: portOf(server.address()),
    cut,
    mend: () => {
      whole = true;
    },
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
