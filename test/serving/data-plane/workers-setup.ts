// Processes of a data plane, with an Ingress and backends, for the tests of this folder.
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { AddressedInstance } from '../../../src/serving/data-plane/index.ts';

export const ingress = (revision: string) => ({
  metadata: { name: 'hello', namespace: 'default', generation: 1 },
  spec: {
    rules: [
      {
        hosts: ['127.0.0.1'],
        visibility: 'ExternalIP',
        http: {
          paths: [
            {
              splits: [
                {
                  serviceNamespace: 'default',
                  serviceName: revision,
                  servicePort: 80,
                  percent: 100,
                  appendHeaders: { 'Knative-Serving-Namespace': 'default', 'Knative-Serving-Revision': revision },
                },
              ],
            },
          ],
        },
      },
    ],
  },
});

export interface Backend {
  readonly instance: AddressedInstance;
  readonly server: Server;
  mostAtOnce: number;
  requests: number;
}

export async function openCountingBackend(id: string, serviceMs: number): Promise<Backend> {
  let running = 0;
  const server = createServer((_, response) => {
    backend.requests++;
    backend.mostAtOnce = Math.max(backend.mostAtOnce, ++running);
    setTimeout(() => {
      running--;
      response.end(id);
    }, serviceMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const backend: Backend = {
    instance: { id, target: { address: `127.0.0.1:${(server.address() as AddressInfo).port}` } },
    server,
    mostAtOnce: 0,
    requests: 0,
  };
  return backend;
}

/** One request on a connection of its own, so that the system spreads them over the workers. */
export const ask = async (url: string): Promise<number> => {
  const response = await fetch(url, { headers: { connection: 'close' } });
  await response.text();
  return response.status;
};

/** Process ids of the data plane's workers that this process has started, in order of their start. */
export async function workerPids(): Promise<number[]> {
  const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
  const pids = children.split(' ').filter((pid) => pid !== '');
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, index) => lines[index]?.includes('data-plane-worker') === true).map(Number);
}
