// A host on real sockets with programs of `programs/`, for one test file.
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pods, type Pod } from '../../src/api/core/pod.ts';
import { createHost, type Host, type HostOptions, type ListenAddress, type ListenOptions } from '../../src/host/index.ts';

export const programs = fileURLToPath(new URL('./programs/', import.meta.url));
export const nodeProgram = (name: string): { command: string[] } => ({ command: [process.execPath, join(programs, name)] });

export interface HostWorld extends AsyncDisposable {
  readonly host: Host;
  readonly address: ListenAddress;
  get(
    service: string,
    path?: string,
    init?: { method?: string; headers?: Record<string, string>; body?: string },
  ): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export async function openWorld(options: HostOptions, listen: ListenOptions = {}): Promise<HostWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'knative-embed-e2e-'));
  const host = await createHost({ baseDir: programs, dataDir, ...options });
  const address = await host.listen({ port: 0, ...listen });
  return {
    host,
    address,
    get: (service, path = '/', init = {}) => get(address.port, `${service}.default.localhost`, path, init),
    async [Symbol.asyncDispose]() {
      await host.close(2_000);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function get(
  port: number,
  authority: string,
  path: string,
  init: { method?: string; headers?: Record<string, string>; body?: string },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: '127.0.0.1', port, path, method: init.method ?? 'GET', headers: { host: `${authority}:${port}`, ...init.headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }),
        );
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(init.body);
  });
}

/** A containerPort that hosts of other test runs on this machine hardly want at the same moment. */
export const ownPort = (): number => 10_000 + (process.pid % 900) * 10 + (portsGiven++ % 10);
let portsGiven = 0;

/** A Service with one container, plus whatever else is given. */
export function serviceOf(
  name: string,
  container: Readonly<Record<string, unknown>>,
  spec: Readonly<Record<string, unknown>> = {},
  annotations: Readonly<Record<string, string>> = {},
): object {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      template: {
        metadata: { annotations },
        spec: { containers: [{ ports: [{ containerPort: ownPort() }], ...container }], ...spec },
      },
    },
  };
}

/** Pods of a Service that are not being deleted. */
export const podsOf = (host: Host, service: string): readonly Pod[] =>
  host
    .list(pods, { namespace: 'default', labels: { 'serving.knative.dev/service': service } })
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);

export const isReadyPod = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: state }) => type === 'Ready' && state === 'True') === true;

export const ready = (host: Host, name: string, timeoutMs = 20_000): Promise<unknown> =>
  host.ready('services.serving.knative.dev', name, { timeoutMs });
