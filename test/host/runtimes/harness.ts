import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createImageMap, type Images } from '../../../src/host/runtimes/image-map.ts';
import { createRuntime, type RuntimeOptions } from '../../../src/host/runtimes/create-runtime.ts';
import type { ContainerSpec, Instance, InstanceSpec, InstanceStatus, Runtime } from '../../../src/host/runtimes/runtime.ts';

/** Folder of the test programs. */
export const programs = fileURLToPath(new URL('./programs', import.meta.url));

export interface TestRuntime extends AsyncDisposable {
  readonly runtime: Runtime;
  readonly dataDir: string;
}

/** A runtime with a data folder of its own; both go at the end of the test. */
export async function startRuntime(images: Images, options: Partial<RuntimeOptions> = {}): Promise<TestRuntime> {
  const dataDir = options.dataDir ?? (await mkdtemp(`${tmpdir()}/knative-embed-test-`));
  const runtime = await createRuntime({ images: createImageMap(images, { baseDir: programs }), dataDir, ...options });
  return {
    runtime,
    dataDir,
    async [Symbol.asyncDispose]() {
      await runtime.close(2_000);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

let count = 0;

/** A Pod with one serving container, and whatever else is given. */
export function podSpec(container: Partial<ContainerSpec>, spec: Partial<InstanceSpec> = {}): InstanceSpec {
  const id = `uid-${++count}`;
  return {
    id,
    namespace: 'default',
    podName: `hello-00001-deployment-${id}`,
    containers: [{ name: 'user-container', image: 'example.com/hello', ports: [{ containerPort: 8080 }], ...container }],
    ...spec,
  };
}

/** Resolves with the first status that fits. */
export async function until(
  instance: Instance,
  fits: (status: InstanceStatus) => boolean,
  timeoutMs = 20_000,
): Promise<InstanceStatus> {
  let listening: Disposable | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const check = (): void => {
        if (fits(instance.status)) resolve(instance.status);
      };
      timer = setTimeout(() => reject(new Error(`not reached: ${JSON.stringify(instance.status)}`)), timeoutMs);
      listening = instance.onChange(check);
      check();
    });
  } finally {
    listening?.[Symbol.dispose]();
    clearTimeout(timer);
  }
}

export const isReady = (status: InstanceStatus): boolean => status.ready;

/** GET on the instance, as JSON. */
export async function get(instance: Instance, path = '/'): Promise<Record<string, unknown>> {
  const response = await fetch(`http://${instance.address}${path}`);
  return (await response.json()) as Record<string, unknown>;
}

/** Everything that a container has written. */
export async function logText(
  instance: Instance,
  options: Parameters<Instance['logs']>[1] = {},
  container?: string,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of instance.logs(container, options)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
