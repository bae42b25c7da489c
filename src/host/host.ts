import { resolve } from 'node:path';
import { noActivity } from '../activity.ts';
import { deployments } from '../api/apps/deployment.ts';
import { pods, type Pod } from '../api/core/pod.ts';
import { resourceKey } from '../api/resource.ts';
import { routes } from '../api/serving/route.ts';
import { realClock } from '../clock.ts';
import { createController } from '../controller/controller.ts';
import { FactRegistry } from '../controller/facts.ts';
import { createMemoryStore, type MemoryStore } from '../controller/memory-store.ts';
import { durationMs } from '../duration.ts';
import { KnativeError } from '../errors.ts';
import { createHttpClient, type Handler } from '../http/index.ts';
import { silentLogger } from '../logger.ts';
import { systemRandom } from '../random.ts';
import { createGateway, requestTimeoutDefaultMs } from '../serving/index.ts';
import { noopMeter } from '../telemetry/meter.ts';
import { applyManifest } from './apply.ts';
import { createAutoscalingEdge } from './autoscaling-edge.ts';
import { BackgroundHolds } from './background-holds.ts';
import { createCertificates } from './certificates.ts';
import { ColdStarts } from './cold-starts.ts';
import { configData, watchConfig } from './config-maps.ts';
import { createCoreServiceEdge } from './core-service-edge.ts';
import { brokerFiles } from './broker-files.ts';
import { checkWorkers, createDataPlane } from './data-plane.ts';
import { createEventingEdge } from './eventing-edge.ts';
import { createFallback, createFrontDoor } from './front-door.ts';
import type { Host, HostOptions } from './host-types.ts';
import { provideImageDigests } from './image-digests.ts';
import { hostKinds, hostReconcilers, kindNamed } from './kinds.ts';
import { createLocalClient } from './local-client.ts';
import type { OpenPort } from './open-ports.ts';
import { prepareStore } from './prepare-store.ts';
import { providePodLoad } from './removal-order.ts';
import { responseOf } from './response.ts';
import { createRuntime } from './runtimes/create-runtime.ts';
import { createImageMap } from './runtimes/image-map.ts';
import { StartPrecedence } from './start-precedence.ts';
import { createServingEdge, revisionLabel } from './serving-edge.ts';
import { PodRunner } from './stand-ins/pod-runner.ts';
import { revisionOf, whyNoInstance } from './revision-pods.ts';
import { createStoreAdmission } from './store-admission.ts';
import { waitForChange, waitUntilReady } from './wait.ts';

/** Starts a host. Its port opens with `listen`; `fetch` works without. */
export async function createHost(options: HostOptions = {}): Promise<Host> {
  checkWorkers(options);
  const clock = options.clock ?? realClock;
  const random = options.random ?? systemRandom;
  const logger = options.logger ?? silentLogger;
  const activity = options.activity ?? noActivity;
  const domain = options.domain ?? 'localhost';
  const meter = options.meter ?? noopMeter;
  const coldStartTimeoutMs =
    options.coldStartTimeout === undefined ? undefined : durationMs(options.coldStartTimeout, 'coldStartTimeout');
  const config = (name: string): Readonly<Record<string, string>> => configData(store, name);
  const store: MemoryStore = createMemoryStore({
    kinds: hostKinds,
    clock,
    random,
    admission: createStoreAdmission((name) => config(name)),
  });
  const facts = new FactRegistry();
  const images = createImageMap(options.images ?? {}, { baseDir: resolve(options.baseDir ?? '.') });
  const digests = provideImageDigests(facts, images);
  const runtime = await createRuntime({
    images,
    clock,
    random,
    logger,
    activity,
    ...(options.dataDir === undefined ? {} : { dataDir: resolve(options.dataDir) }),
    allowManifestCommands: options.allowManifestCommands ?? false,
    ...options.runtime,
  });

  const coldStarts = new ColdStarts(clock, meter);
  // A virtual clock stands still while the world works: there is nothing to win, and time to be lost.
  const precedence = clock === realClock ? new StartPrecedence(clock) : undefined;
  // Sending and receiving know one another: the entrance answers what the client sends to names of this host.
  const entrance: { inside: Handler; outside: Handler } = { inside: () => undefined, outside: () => undefined };
  const certificates = createCertificates(store);
  const dataPlane = await createDataPlane({
    workers: options.workers ?? 1,
    clock,
    random,
    logger,
    meter,
    tracer: options.tracer,
    config,
    certificates,
    entrance: (exchange) => entrance.outside(exchange),
    onRequestLog: options.onRequestLog ?? ((line) => logger.info({ line: line.trimEnd() }, 'request')),
    onColdStart(revision) {
      coldStarts.requested(revision);
      precedence?.requested(revision);
      autoscaling.coldStart(revision);
    },
    onColdStartEnd: (revision) => precedence?.answered(revision),
    onColdStartTimeout(revision, waitedMs) {
      const why = whyNoInstance(store, revision);
      logger.warn({ revision, waitedMs, why }, 'the budget for a cold start has run out');
      options.onColdStartTimeout?.(revision, waitedMs, why);
    },
  });
  const { activator, router, collect } = dataPlane;
  const holds = new BackgroundHolds({
    activator,
    clock,
    boundMs: (key) => (revisionOf(store, key)?.spec.timeoutSeconds ?? requestTimeoutDefaultMs / 1000) * 1000,
  });
  const runner: PodRunner = new PodRunner({
    store,
    runtime,
    clock,
    logger,
    imageOf: (image) => digests.imageOf(image),
    drain: (pod, graceMs) => drain(pod, graceMs),
    onChange: (pod, instance) => serving.podChanged(pod, instance),
    ...(precedence === undefined ? {} : { pause: () => precedence.before('pod status') }),
  });
  const instanceOf: PodRunner['instanceOf'] = (uid) => runner.instanceOf(uid);
  const serving = createServingEdge({
    store,
    facts,
    routes: dataPlane.routes,
    activator,
    instanceOf,
    holds,
    coldStarts,
    precedence,
    coldStartTimeoutMs,
  });
  const coreService = createCoreServiceEdge({ store, activator: dataPlane.ownActivator, instanceOf });
  const autoscaling = createAutoscalingEdge({
    store,
    facts,
    activator: { ...activator, report: (key) => holds.added(key, activator.report(key)) },
    ...(collect === undefined ? {} : { collect }),
    clock,
    logger,
    ...(options.meter === undefined ? {} : { meter: options.meter }),
    ...(options.policyFor === undefined ? {} : { policyFor: options.policyFor }),
    ...(options.onScale === undefined ? {} : { onScale: options.onScale }),
  });
  providePodLoad(facts, activator, (namespace, name) => {
    return store.view.get(deployments, namespace, name)?.metadata.labels?.[revisionLabel];
  });
  /** Resolves when no request is in the pod any more, or after the grace period. */
  async function drain(pod: Pod, graceMs: number): Promise<void> {
    const revision = pod.metadata.labels?.[revisionLabel];
    const keys = revision === undefined ? coreService.keysOf(pod) : [resourceKey(pod.metadata.namespace, revision)];
    const { promise: elapsed, resolve: giveUp } = Promise.withResolvers<void>();
    const timer = clock.setTimer(graceMs, giveUp);
    await Promise.race([
      Promise.all(keys.map((key) => (revision === undefined ? dataPlane.ownActivator : activator).drain(key, pod.metadata.name))),
      elapsed,
    ]);
    timer[Symbol.dispose]();
  }

  const servers: OpenPort[] = [];
  let httpsPort: number | undefined;

  const client = createLocalClient({
    handler: (exchange) => entrance.inside(exchange),
    domain,
    outside: options.transport === 'memory' ? undefined : createHttpClient(),
  });
  const eventing = createEventingEdge({
    store,
    facts,
    client,
    clock,
    logger,
    ...brokerFiles(options.dataDir, { clock, logger }),
    classes: options.brokerClasses,
  });
  const fallback = createFallback({
    brokerIngress: eventing.ingress,
    coreService: (exchange, hostname) => coreService.answer(exchange, hostname),
    knownHosts: () =>
      store.view.list(routes).flatMap(({ status }) => (status?.url === undefined ? [] : [new URL(status.url).host])),
  });
  const entranceFor = (listener: 'public' | 'local'): Handler =>
    createFrontDoor(
      eventing.ingress,
      createGateway({
        router,
        activator,
        listener,
        fallback,
        httpsPort: () => httpsPort,
        random,
        logger,
        ...(options.tracer === undefined ? {} : { tracer: options.tracer }),
      }),
    );
  entrance.inside = entranceFor('local');
  const handler = entranceFor('public');
  entrance.outside = handler;

  const controller = createController({
    store,
    view: store.view,
    reconcilers: hostReconcilers,
    facts,
    config,
    clock,
    logger,
    meter,
    activity,
    ...(precedence === undefined ? {} : { pause: (reconciler: string) => precedence.before(reconciler) }),
    onEvent: (kind, resource, event) =>
      logger.debug({ kind: kind.kind, key: resourceKey(resource.metadata.namespace, resource.metadata.name), ...event }, 'event'),
  });
  const configWatch = watchConfig(store, (name) => {
    controller.configChanged(name);
    dataPlane.configChanged(name);
  });
  await prepareStore(store, domain);
  runner.start();
  serving.start();
  coreService.start();
  certificates.start();
  autoscaling.start();
  eventing.start();
  controller.start();

  let closing: Promise<void> | undefined;

  async function close(graceMs: number): Promise<void> {
    await Promise.all(servers.map((server) => server.close(graceMs)));
    await eventing[Symbol.asyncDispose]();
    await controller.close();
    await autoscaling[Symbol.asyncDispose]();
    configWatch[Symbol.dispose]();
    runner.close();
    serving[Symbol.dispose]();
    coreService[Symbol.dispose]();
    certificates[Symbol.dispose]();
    await dataPlane.close();
    await runtime.close(graceMs);
    await client.close();
  }

  const host: Host = {
    apply: (manifest, applyOptions) => applyManifest(store, manifest, { config, ...applyOptions }),
    get: (kind, namespace, name) => store.view.get(kind, namespace, name),
    list: (kind, selector) => store.view.list(kind, selector),
    delete: async (kind, namespace, name) => void (await store.delete(kind, namespace, name)),
    watch: (listener) => store.watch({}, listener),
    ready: (resource, name, readyOptions = {}) => waitUntilReady(store, clock, kindNamed(resource), name, readyOptions),
    waitFor: (what, condition, waitOptions) => waitForChange(store, clock, what, condition, waitOptions),
    async fetch(service, path = '/', fetchOptions = {}) {
      const { namespace = 'default', method = 'GET', headers = {}, body, signal } = fetchOptions;
      return responseOf(
        await client.request({
          method,
          url: `http://${service}.${namespace}.svc.cluster.local${path.startsWith('/') ? path : `/${path}`}`,
          rawHeaders: Object.entries(headers).flat(),
          ...(body === undefined ? {} : { body }),
          ...(signal === undefined ? {} : { signal }),
        }),
      );
    },
    handler,
    client,
    async listen(listenOptions = {}) {
      if (servers.length > 0) throw new KnativeError('HOST_LISTENING', 'the host listens already');
      const { opened, address } = await dataPlane.listen(listenOptions);
      servers.push(...opened);
      httpsPort = address.tls?.port;
      return address;
    },
    broker: (namespace, name) => eventing.broker(namespace, name),
    explainScale: (namespace, revision) => autoscaling.multiScaler.explain(`${namespace}/${revision}`),
    logs(namespace, pod, container) {
      const instance = runner.instanceOf(store.view.get(pods, namespace, pod)?.metadata.uid);
      if (instance === undefined)
        throw new KnativeError('HOST_POD_NOT_FOUND', `no running pod ${namespace}/${pod}`, { status: 404 });
      return instance.logs(container);
    },
    store,
    controller,
    close: (graceMs = 10_000) => (closing ??= keepingProcess(close(graceMs))),
    [Symbol.asyncDispose]: () => host.close(),
  };
  return host;
}

/** Clocks and instances keep no process alive, but one that waits for its host to close must not end before it has. */
function keepingProcess<T>(work: Promise<T>): Promise<T> {
  const alive = setInterval(() => undefined, 1_000);
  return work.finally(() => clearInterval(alive));
}
