// Replays dataplane.json: on the in-memory transport and virtual time, or over real sockets and real time.
import { realClock, createVirtualClock, sleep, type Clock } from '../../src/clock.ts';
import { createHttpServer, createMemoryNetwork, type Handler } from '../../src/http/index.ts';
import { KnativeError } from '../../src/errors.ts';
import {
  createActivator,
  createActivatorHandler,
  createForwarder,
  createQueueProxy,
  createRequestLog,
  type Activator,
  type Forwarder,
  type InstanceTarget,
  type QueueProxy,
  type Readiness,
  type RequestLog,
  type RequestTimeouts,
} from '../../src/serving/data-plane/index.ts';
import { differencesOf, type ReplayCase } from './replay.ts';
import { memoryClient, socketClient, type Client, type RecordedRequest, type RecordedResponse } from './serving.client.ts';
import { createContainer, type Container } from './serving.container.ts';
import { runH2c, runWebSocket } from './serving.dataplane-streams.ts';

export interface DataPlaneCase {
  readonly id: string;
  readonly family: string;
  readonly config: {
    readonly containerConcurrency?: number;
    readonly timeoutSeconds?: number;
    readonly responseStartTimeoutSeconds?: number;
    readonly idleTimeoutSeconds?: number;
    readonly readinessProbe?: string;
    readonly quietPeriodMs?: number;
    readonly template?: string;
    readonly enableProbeRequestLog?: boolean;
    readonly revision?: Readonly<Record<string, string>>;
  };
  readonly request: RecordedRequest & Readonly<Record<string, unknown>>;
  readonly response: Readonly<Record<string, unknown>>;
  readonly containerSaw?: readonly unknown[];
  readonly log?: string;
  readonly note?: string;
}

/** Where the servers of a case are: `memory` runs on virtual time. */
export interface World extends AsyncDisposable {
  readonly clock: Clock;
  readonly container: Container;
  readonly forwarder: Forwarder;
  /** The container as a target, and one that nothing listens on. */
  readonly target: InstanceTarget;
  readonly closedTarget: InstanceTarget;
  /** Puts a handler on the air and returns a client for it. */
  serve(handler: Handler): Promise<Client>;
  /** Puts a handler on a socket; only real worlds can. */
  port(handler: Handler): Promise<number>;
  /** Runs the time until the work is done. */
  run<T>(work: Promise<T>): Promise<T>;
}

export function memoryWorld(): Promise<World> {
  const clock = createVirtualClock();
  const network = createMemoryNetwork({ remoteAddress: '127.0.0.1' });
  const container = createContainer(clock);
  let count = 0;
  return Promise.resolve({
    clock,
    container,
    forwarder: {
      forward: (_, { address }, unseen) =>
        unseen(new KnativeError('HTTP_UNREACHABLE', `dial tcp ${address}: connect: connection refused`)),
      close: () => undefined,
    },
    target: { handler: container.handler },
    closedTarget: { address: '{addr}' },
    serve(handler) {
      const authority = `server-${++count}.test`;
      network.register(authority, handler);
      return Promise.resolve(memoryClient(network.client, authority, clock));
    },
    port: () => Promise.reject(new Error('the in-memory world has no ports')),
    async run(work) {
      let done = false;
      const end = (): void => void (done = true);
      work.then(end, end);
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        if (done || !clock.runNext(clock.now() + 1e9)) break;
      }
      return work;
    },
    [Symbol.asyncDispose]: () => network.client.close(),
  });
}

export async function socketWorld(): Promise<World> {
  const clock = realClock;
  const container = createContainer(clock);
  const closers: (() => Promise<void>)[] = [];
  const port = async (handler: Handler): Promise<number> => {
    const server = createHttpServer({ handler });
    const address = await server.listen();
    closers.push(() => server.close(0));
    return address.port;
  };
  const forwarder = createForwarder();
  return {
    clock,
    container,
    forwarder,
    target: { address: `127.0.0.1:${await port(container.handler)}` },
    closedTarget: { address: '127.0.0.1:1' },
    port,
    serve: async (handler) => socketClient(await port(handler), clock),
    run: (work) => work,
    async [Symbol.asyncDispose]() {
      for (const close of closers) await close();
      await forwarder.close();
    },
  };
}

/** The cases; `openWorld` decides where those run that do not need a socket. */
export function* dataPlaneCases(cases: unknown[], openWorld: () => Promise<World> = memoryWorld): Iterable<ReplayCase> {
  for (const item of cases as DataPlaneCase[]) {
    const common = { file: 'dataplane.json', id: item.id };
    const skip = differenceOf(item);
    if (skip !== undefined) {
      yield { ...common, expected: undefined, skip, check: () => [] };
      continue;
    }
    const socketOnly = item.family === 'queue-websocket' || item.family === 'queue-h2c';
    let outcome: Promise<unknown> | undefined;
    yield {
      ...common,
      expected: expectedOf(item),
      check: async (expected) => {
        outcome ??= runCase(item, socketOnly ? socketWorld : openWorld);
        return differencesOf(expected, tolerant(expected, await outcome));
      },
    };
  }
}

/** Upgraded connections live by traffic here: only `timeoutSeconds` cuts a busy one (docs/differences.md). */
function differenceOf({ family, config }: DataPlaneCase): string | undefined {
  const { idleTimeoutSeconds = 0, responseStartTimeoutSeconds = 0 } = config;
  return family === 'queue-websocket' && (idleTimeoutSeconds > 0 || responseStartTimeoutSeconds > 0)
    ? 'upgraded connections are closed by idleness or the end of the request only (difference)'
    : undefined;
}

function expectedOf(item: DataPlaneCase): unknown {
  const { hijackDrainAfterClose: _hijack, ...response } = item.response;
  return {
    response,
    ...(item.containerSaw === undefined ? {} : { containerSaw: item.containerSaw }),
    ...(item.log === undefined ? {} : { log: item.log }),
  };
}

/** Times within the recorded tolerance of 200 ms count as equal. */
function tolerant(expected: unknown, actual: unknown, key = ''): unknown {
  if (typeof expected === 'number' && typeof actual === 'number' && /Ms(Approx)?$/.test(key)) {
    if (key === 'minElapsedMs') return actual >= expected && actual <= expected + 500 ? expected : actual;
    return Math.abs(expected - actual) <= 200 ? expected : actual;
  }
  if (Array.isArray(expected) && Array.isArray(actual)) return actual.map((item, i) => tolerant(expected[i], item));
  if (typeof expected === 'object' && expected !== null && typeof actual === 'object' && actual !== null) {
    const wanted = expected as Record<string, unknown>;
    return Object.fromEntries(Object.entries(actual).map(([name, item]) => [name, tolerant(wanted[name], item, name)]));
  }
  return actual;
}

async function runCase(item: DataPlaneCase, openWorld: () => Promise<World>): Promise<unknown> {
  await using world = await openWorld();
  const run = runners[item.family];
  if (run === undefined) throw new Error(`unknown family ${item.family}`);
  return await world.run(run(item, world));
}

type Runner = (item: DataPlaneCase, world: World) => Promise<unknown>;

const runners: Readonly<Record<string, Runner>> = {
  'queue-headers': runQueueRequest,
  'queue-probe': runQueueRequest,
  'queue-timeout': runQueueRequest,
  'queue-breaker': runBreaker,
  'queue-drain': runDrain,
  'queue-request-log': runRequestLog,
  'queue-websocket': async (item, world) => ({
    response: await runWebSocket(await world.port(proxyOf(item, world).handler), world.clock),
  }),
  'queue-h2c': async (item, world) => {
    const response = await runH2c(await world.port(proxyOf(item, world).handler), item.request);
    return { response, containerSaw: world.container.seen };
  },
  'activator-route': runActivatorRequest,
  'activator-probe': runActivatorRequest,
  'activator-timeout': runActivatorRequest,
  'activator-scale-from-zero': runScaleFromZero,
};

function timeoutsOf({
  timeoutSeconds = 300,
  responseStartTimeoutSeconds = 0,
  idleTimeoutSeconds = 0,
}: DataPlaneCase['config']): RequestTimeouts {
  return {
    requestMs: timeoutSeconds * 1000,
    responseStartMs: responseStartTimeoutSeconds * 1000,
    idleMs: idleTimeoutSeconds * 1000,
  };
}

function proxyOf(
  item: DataPlaneCase,
  world: World,
  extra: { target?: InstanceTarget; requestLog?: RequestLog } = {},
): QueueProxy {
  const { containerConcurrency = 0, readinessProbe, quietPeriodMs } = item.config;
  const readiness: Readiness = readinessProbe === 'none' ? 'none' : () => readinessProbe !== 'not ready';
  return createQueueProxy({
    target: extra.target ?? ('address' in world.target ? { ...world.target, protocol: 'auto' } : world.target),
    containerConcurrency,
    timeouts: timeoutsOf(item.config),
    readiness,
    forwarder: world.forwarder,
    clock: world.clock,
    ...(quietPeriodMs === undefined ? {} : { quietPeriodMs }),
    ...(extra.requestLog === undefined ? {} : { requestLog: extra.requestLog }),
  });
}

async function runQueueRequest(item: DataPlaneCase, world: World): Promise<unknown> {
  const closed = item.note?.includes('port closed') === true;
  const client = await world.serve(proxyOf(item, world, closed ? { target: world.closedTarget } : {}).handler);
  const answer = await client(item.request);
  const response = closed ? { ...answer, ...withoutAddress(answer) } : answer;
  return { response, ...(item.containerSaw === undefined ? {} : { containerSaw: world.container.seen }) };
}

/** The recorded error text has a placeholder for the address, and a length that counts the recorder's own address. */
function withoutAddress(answer: RecordedResponse): Partial<RecordedResponse> {
  return {
    body: answer.body.replace(/(?:127\.0\.0\.1:\d+|\{addr\})/, '{addr}'),
    contentLength: 54,
    headers: { ...answer.headers, 'Content-Length': ['54'] },
  };
}

async function runBreaker(item: DataPlaneCase, world: World): Promise<unknown> {
  const client = await world.serve(proxyOf(item, world).handler);
  const first = item.request['first'];
  if (typeof first === 'string') {
    const earlier = client({ path: first });
    await sleep(world.clock, 300);
    const second = item.request['second (300 ms later)'];
    const later = await client({ path: typeof second === 'string' ? second : '/' });
    return { response: { first: await earlier, second: later } };
  }
  const answers = await burst(client, item, world.clock, 3);
  const rejected = answers.find(({ status }) => status === 503)?.body;
  return {
    response: {
      statusCounts: countsOf(answers),
      ...('maxConcurrentInContainer' in item.response ? { maxConcurrentInContainer: world.container.mostAtOnce } : {}),
      ...(rejected === undefined ? {} : { rejectedBody: rejected }),
    },
  };
}

async function burst(client: Client, item: DataPlaneCase, clock: Clock, everyMs: number): Promise<RecordedResponse[]> {
  const answers: Promise<RecordedResponse>[] = [];
  for (let i = 0; i < Number(item.request['concurrentRequests']); i++) {
    answers.push(client({ path: item.request.path ?? '/', headers: item.request.headers ?? [] }));
    if (everyMs > 0) await sleep(clock, everyMs);
  }
  return Promise.all(answers);
}

function countsOf(answers: readonly RecordedResponse[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

const kubelet: RecordedRequest = { headers: ['User-Agent: kube-probe/1.29', 'K-Network-Probe: queue'] };

async function runDrain(item: DataPlaneCase, world: World): Promise<unknown> {
  const { clock } = world;
  const proxy = proxyOf(item, world);
  const client = await world.serve(proxy.handler);
  const startMs = clock.monotonic();
  const at = (timeMs: number): Promise<void> => sleep(clock, Math.max(0, startMs + timeMs - clock.monotonic()));
  if ('waitForDrain' in item.response) {
    const admin = await world.serve(proxy.admin);
    const waiting = admin({ path: '/wait-for-drain' });
    await at(100);
    const kubeletProbeDuring = await client(kubelet);
    const waitForDrain = await waiting;
    const returnedAtMsApprox = clock.monotonic() - startMs;
    return { response: { kubeletProbeDuring, waitForDrain, returnedAtMsApprox, kubeletProbeAfter: await client(kubelet) } };
  }
  let drainReturnedAtMsApprox = 0;
  const drained = proxy.drain().then(() => (drainReturnedAtMsApprox = clock.monotonic() - startMs));
  await at(100);
  const kubeletProbe = await client(kubelet);
  const activatorProbe = await client({ headers: ['User-Agent: Knative-Activator-Probe', 'K-Network-Probe: queue'] });
  const networkProbe = await client({ headers: ['K-Network-Probe: probe', 'K-Network-Hash: h'] });
  const requestsDuringDrain: number[] = [];
  for (const timeMs of [400, 700, 1000]) {
    await at(timeMs);
    requestsDuringDrain.push((await client({})).status);
  }
  await drained;
  const kubeletProbeAfterDrainReturned = await client(kubelet);
  return {
    response: {
      kubeletProbe,
      activatorProbe,
      networkProbe,
      requestsDuringDrain,
      drainReturnedAtMsApprox,
      kubeletProbeAfterDrainReturned,
    },
  };
}

async function runRequestLog(item: DataPlaneCase, world: World): Promise<unknown> {
  const { template = '', enableProbeRequestLog = false, revision = {} } = item.config;
  let log = '';
  const requestLog = createRequestLog({
    template,
    probes: enableProbeRequestLog,
    revision: {
      name: revision['Name'] ?? '',
      namespace: revision['Namespace'] ?? '',
      service: revision['Service'] ?? '',
      configuration: revision['Configuration'] ?? '',
      podName: revision['PodName'] ?? '',
      podIp: revision['PodIP'] ?? '',
    },
    write: (line) => (log += line.replace(/latency: [0-9.e-]+/, 'latency: {latency}')),
  });
  const client = await world.serve(proxyOf(item, world, { requestLog }).handler);
  const { status } = await client(item.request);
  // The line is written when the response has gone, which the client may see first.
  await sleep(world.clock, 20);
  return { response: { status }, ...(item.log === undefined && log === '' ? {} : { log }) };
}

/** The revisions behind every activator case; those named cold have no instance. */
const revisions: Readonly<Record<string, { containerConcurrency?: number; timeouts?: RequestTimeouts; cold?: boolean }>> = {
  r0: {},
  r1: { containerConcurrency: 1 },
  t1: { timeouts: { requestMs: 1_000 } },
  t2: { timeouts: { requestMs: 5_000, responseStartMs: 1_000 } },
  t3: { timeouts: { requestMs: 5_000, idleMs: 1_000 } },
  coldt: { timeouts: { requestMs: 1_000 }, cold: true },
  coldrs: { timeouts: { requestMs: 5_000, responseStartMs: 1_000 }, cold: true },
  coldi: { timeouts: { requestMs: 5_000, idleMs: 1_000 }, cold: true },
  coldidle: { timeouts: { requestMs: 5_000, idleMs: 1_000 }, cold: true },
};

function activatorOf(world: World): Activator {
  const { clock, forwarder, target } = world;
  const activator = createActivator({ clock, forwarder });
  for (const [name, { cold = false, ...settings }] of Object.entries(revisions)) {
    activator.setRevision(`default/${name}`, settings);
    if (!cold) activator.setInstances(`default/${name}`, [{ id: backendId(world), target }]);
  }
  return activator;
}

const backendId = ({ target }: World): string => ('address' in target ? target.address : 'backend');

async function runActivatorRequest(item: DataPlaneCase, world: World): Promise<unknown> {
  const client = await world.serve(createActivatorHandler({ activator: activatorOf(world) }));
  const response = await client(item.request);
  const backend = backendId(world);
  const containerSaw = world.container.seen.map((seen) => ({ ...seen, host: seen.host === backend ? '{backend}' : seen.host }));
  return { response, ...(item.containerSaw === undefined ? {} : { containerSaw }) };
}

async function runScaleFromZero(item: DataPlaneCase, world: World): Promise<unknown> {
  const { clock } = world;
  const activator = createActivator({ clock, forwarder: world.forwarder });
  activator.setRevision('default/cold', { containerConcurrency: item.config.containerConcurrency ?? 0 });
  const client = await world.serve(createActivatorHandler({ activator }));
  const readyAtMs = Number(item.request['backendReadyAtMs']);
  const startMs = clock.monotonic();
  let answeredBefore = 0;
  let ready = false;
  const revision = ['Knative-Serving-Namespace: default', 'Knative-Serving-Revision: cold'];
  const timed: Client = async (request) => {
    const answer = await client({ ...request, headers: revision });
    if (!ready) answeredBefore++;
    elapsed.push(clock.monotonic() - startMs);
    return answer;
  };
  const elapsed: number[] = [];
  const answers = burst(timed, item, clock, 0);
  await sleep(clock, readyAtMs);
  ready = true;
  activator.setInstances('default/cold', [{ id: 'backend', target: world.target }]);
  const statusCounts = countsOf(await answers);
  return {
    response: {
      answeredBeforeBackend: answeredBefore,
      maxConcurrentInContainer: world.container.mostAtOnce,
      minElapsedMs: Math.floor(Math.min(...elapsed)),
      statusCounts,
    },
  };
}
