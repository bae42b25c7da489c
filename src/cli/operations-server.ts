import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KnativeError } from '../errors.ts';
import { createOperationsHandler, type OperationsOptions } from '../eventing/index.ts';
import { createHttpServer } from '../http/index.ts';

const fileName = 'operations.json';

/** Where the operations of a running host are reached. */
export interface OperationsAddress {
  readonly url: string;
  readonly token: string;
}

/**
 * Serves the brokers' operations on a loopback port, and writes address and token to a file in the data folder that only its owner can read.
 * Disposing stops the server and removes the file.
 */
export async function serveOperations(dataDir: string, options: Omit<OperationsOptions, 'token'>): Promise<AsyncDisposable> {
  const token = randomBytes(24).toString('base64url');
  const server = createHttpServer({ handler: createOperationsHandler({ ...options, token }) });
  const { url } = await server.listen();
  const path = join(dataDir, fileName);
  await mkdir(dataDir, { recursive: true });
  const address: OperationsAddress = { url, token };
  await rm(path, { force: true });
  await writeFile(path, JSON.stringify(address), { mode: 0o600 });
  return {
    async [Symbol.asyncDispose]() {
      await rm(path, { force: true });
      await server.close(0);
    },
  };
}

/** Reads where a running host with this data folder is reached. Throws CLI_NOT_RUNNING when there is none. */
export async function readOperationsAddress(dataDir: string): Promise<OperationsAddress> {
  const text = await readFile(join(dataDir, fileName), 'utf8').catch(() => undefined);
  const value: unknown = text === undefined ? undefined : JSON.parse(text);
  if (typeof value === 'object' && value !== null && 'url' in value && 'token' in value) {
    const { url, token } = value;
    if (typeof url === 'string' && typeof token === 'string') return { url, token };
  }
  throw new KnativeError('CLI_NOT_RUNNING', `no host is running on ${dataDir}`, {
    path: dataDir,
    hint: 'start `knative-embed dev`, or name its data folder with --data-dir',
  });
}
