// Load on a host while its instances come, go and crash: who loses a request? The tests run it short; `node test/faults/scale-long.ts` long.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pods } from '../../src/api/core/pod.ts';
import type { Policy } from '../../src/autoscaler/index.ts';
import { createHost, type Host } from '../../src/host/index.ts';
import { createHttpClient } from '../../src/http/index.ts';
import { createRandom } from '../../src/random.ts';

export interface ScaleFaults {
  readonly requests: number;
  readonly scaleEvents: number;
  readonly crashes: number;
  readonly connections: number;
  readonly seed: number;
}

export interface ScaleFaultsResult {
  readonly answers: number;
  /** Answers to GET by status, with the reason when it is not 200. */
  readonly get: Readonly<Record<string, number>>;
  readonly post: Readonly<Record<string, number>>;
  /** Answers with somebody else's body. */
  readonly wrong: number;
  /** Requests whose connection broke: the gateway must answer everything. */
  readonly broken: number;
  /** POSTs that more than one instance has seen. */
  readonly repeatedPosts: number;
  readonly scaleEvents: number;
  readonly crashes: number;
  readonly pods: number;
  readonly durationMs: number;
}

const programs = fileURLToPath(new URL('./programs/', import.meta.url));
const services = ['processes', 'threads'] as const;
type ServiceName = (typeof services)[number];

const manifest = (name: ServiceName, seen: string): object => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name },
  spec: {
    template: {
      spec: {
        containerConcurrency: 20,
        // Another host on this machine that wants the same port at the same moment would answer in this one's place.
        containers: [
          {
            image: `example.com/${name}`,
            ports: [{ containerPort: 9_000 + (process.pid % 900) }],
            env: [{ name: 'SEEN', value: seen }],
          },
        ],
      },
    },
  },
});

/** Wants what it is told, and looks again often. */
const told = (desired: () => number): Policy => ({
  name: 'told',
  metrics: () => [],
  initial: () => undefined,
  decide: (_observation, _state, nowMs) => ({
    desired: desired(),
    excessBurstCapacity: 0,
    valid: true,
    nextCheckMs: nowMs + 20,
  }),
});

export async function runScaleFaults(options: ScaleFaults): Promise<ScaleFaultsResult> {
  const random = createRandom(options.seed);
  const dir = await mkdtemp(join(tmpdir(), 'knative-embed-faults-'));
  const seen = join(dir, 'seen');
  await writeFile(seen, '');
  const desired: Record<ServiceName, number> = { processes: 2, threads: 2 };
  const host = await createHost({
    baseDir: programs,
    dataDir: join(dir, 'data'),
    images: {
      'example.com/processes': { command: [process.execPath, join(programs, 'counted-server.mjs')] },
      'example.com/threads': './counted-function.mjs',
    },
    policyFor: (key) => told(() => (key.includes('processes') ? desired.processes : desired.threads)),
    runtime: { restartBackoff: { initialMs: 20, maxMs: 100 } },
  });
  try {
    for (const name of services) await host.apply(manifest(name, seen));
    for (const name of services) await host.ready('services.serving.knative.dev', name);
    const { port } = await host.listen({ port: 0 });
    return await load(host, port, { ...options, random, desired, seen });
  } finally {
    await host.close(2_000);
    await rm(dir, { recursive: true, force: true });
  }
}

interface Load extends ScaleFaults {
  readonly random: () => number;
  readonly desired: Record<ServiceName, number>;
  readonly seen: string;
}

const readyPods = (host: Host, service: ServiceName): string[] =>
  host
    .list(pods, { labels: { 'serving.knative.dev/service': service } })
    .filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status?.conditions?.some(({ type, status: state }) => type === 'Ready' && state === 'True'),
    )
    .map(({ metadata }) => metadata.name);

async function load(host: Host, port: number, options: Load): Promise<ScaleFaultsResult> {
  const { requests, random, desired } = options;
  const client = createHttpClient({ connectionsMax: options.connections });
  const statuses = { get: new Map<string, number>(), post: new Map<string, number>() };
  const posts = new Set<string>();
  const pids = new Set<number>();
  const podNames = new Set<string>();
  const startedMs = performance.now();
  let sent = 0;
  let wrong = 0;
  let broken = 0;
  // Requests go on as long as there are events, and do not run ahead of them.
  const events = [
    ...Array<'scale' | 'crash'>(options.scaleEvents).fill('scale'),
    ...Array<'scale' | 'crash'>(options.crashes).fill('crash'),
  ].sort(() => random() - 0.5);
  const share = requests / (events.length + 1);
  let eventsDone = 0;
  let goOn = Promise.withResolvers<void>();

  const send = async (): Promise<void> => {
    while (sent < requests) {
      while (sent >= (eventsDone + 1) * share) await goOn.promise;
      const id = String(sent++);
      const post = Number(id) % 4 === 0;
      if (post) posts.add(id);
      const service = Number(id) % 2 === 0 || post ? services[Math.floor(random() * 2)] : 'processes';
      const url = `http://${service ?? ''}.default.localhost:${port}/`;
      try {
        const answer = await client.request({
          method: post ? 'POST' : 'GET',
          url,
          rawHeaders: ['x-id', id, 'x-work', String(Math.floor(random() * 30))],
          ...(post ? { body: 'x'.repeat(1 + Math.floor(random() * 5_000)) } : {}),
        });
        const text = await answer.text();
        const pid = answer.rawHeaders[answer.rawHeaders.findIndex((name) => name.toLowerCase() === 'x-pid') + 1];
        if (answer.status === 200 && service === 'processes') pids.add(Number(pid));
        if (answer.status === 200 && text !== id) wrong++;
        const counts = post ? statuses.post : statuses.get;
        const key = answer.status === 200 ? '200' : `${answer.status} ${text.trim()}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      } catch {
        broken++;
      }
    }
  };

  const crash = async (): Promise<void> => {
    if (random() < 0.3) {
      // A worker thread that ends itself, with what it has under way.
      await (await client.request({ method: 'POST', url: `http://threads.default.localhost:${port}/end` })).text();
      return;
    }
    for (;;) {
      const candidates = [...pids];
      const pid = candidates[Math.floor(random() * candidates.length)];
      if (pid === undefined) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      pids.delete(pid);
      try {
        process.kill(pid, 'SIGKILL');
        return;
      } catch {
        // It had been scaled away already.
      }
    }
  };

  const scale = async (): Promise<void> => {
    const service = random() < 0.5 ? 'processes' : 'threads';
    const before = desired[service];
    desired[service] = 1 + ((before + Math.floor(random() * 3)) % 4);
    await host.waitFor(
      `${service} has ${desired[service]} instances`,
      () => readyPods(host, service).length === desired[service],
      {
        timeoutMs: 30_000,
      },
    );
  };

  const disturb = async (): Promise<void> => {
    for (const event of events) {
      while (sent < eventsDone * share + share / 2) await new Promise((resolve) => setImmediate(resolve));
      await (event === 'crash' ? crash() : scale());
      eventsDone++;
      goOn.resolve();
      goOn = Promise.withResolvers<void>();
    }
  };
  // Clocks keep no process alive, and there are moments without a request.
  const alive = setInterval(() => undefined, 1_000);
  const watch = host.watch(({ kind, resource }) => {
    if (kind === pods) podNames.add(resource.metadata.name);
  });
  await Promise.all([disturb(), ...Array.from({ length: options.connections }, send)]);
  clearInterval(alive);
  watch[Symbol.dispose]();
  await client.close();

  const timesSeen = new Map<string, number>();
  for (const id of (await readFile(options.seen, 'utf8')).split('\n')) timesSeen.set(id, (timesSeen.get(id) ?? 0) + 1);
  return {
    answers: [...statuses.get.values(), ...statuses.post.values()].reduce((sum, count) => sum + count, 0),
    get: Object.fromEntries(statuses.get),
    post: Object.fromEntries(statuses.post),
    wrong,
    broken,
    repeatedPosts: [...posts].filter((id) => (timesSeen.get(id) ?? 0) > 1).length,
    scaleEvents: options.scaleEvents,
    crashes: options.crashes,
    pods: podNames.size,
    durationMs: Math.round(performance.now() - startedMs),
  };
}

/** One line for a report. */
export function describeScaleFaults(result: ScaleFaultsResult): string {
  return (
    `${result.answers} answers across ${result.scaleEvents} scale events, ${result.crashes} crashes and ${result.pods} pods in ` +
    `${(result.durationMs / 1000).toFixed(1)} s: GET ${JSON.stringify(result.get)}, POST ${JSON.stringify(result.post)}, ` +
    `wrong ${result.wrong}, broken ${result.broken}, POSTs seen twice ${result.repeatedPosts}`
  );
}
