// The program of one data-plane worker; started by `createDataPlaneWorkers`, which it obeys over the IPC channel.
import { realClock } from '../clock.ts';
import { KnativeError, messageOf } from '../errors.ts';
import { createHttpServer, createUpstream, type Handler, type HttpServer, type TlsCertificate } from '../http/index.ts';
import { createLogger } from '../logger.ts';
import { createTracer, type FinishedSpan } from '../telemetry/index.ts';
import { createActivator, createGateway, type Activator } from './data-plane/index.ts';
import { createRequestLogs } from './data-plane/request-logs.ts';
import { MeasurementBuffer } from './data-plane/workers/measurements.ts';
import type { Share, WorkerCommand, WorkerDone, WorkerEvent, WorkerPorts } from './data-plane/workers/messages.ts';
import { createPassingForwarder, passAsItIs, passedRequests, type ProcessTarget } from './data-plane/workers/passing.ts';
import type { RevisionKey, RevisionSettings } from './data-plane/revision.ts';
import { createRouter } from './router.ts';

type Start = Extract<WorkerCommand, { type: 'start' }>;

const flushMs = 20;

// Without the callback an owner that has just gone would make this an error that nobody handles.
const send = (event: WorkerEvent): void => void process.send?.(event, undefined, undefined, () => undefined);
const router = createRouter();
const neighbours = createUpstream();
const measurements = new MeasurementBuffer();
let observability: Readonly<Record<string, string>> = {};
let activator: Activator;
let gateway: Handler;
let inner: HttpServer | undefined;
const servers: HttpServer[] = [];
let httpsPort: number | undefined;

/** Sends items to the owner a few at a time. */
function batched<T>(sendAll: (items: readonly T[]) => void) {
  let items: T[] = [];
  const flush = (): void => {
    if (items.length === 0) return;
    sendAll(items);
    items = [];
  };
  const add = (item: T): void => {
    if (items.length === 0) realClock.setTimer(flushMs, flush);
    items.push(item);
  };
  return { add, flush };
}

const logger = createLogger((level, fields, message) => send({ type: 'diagnostic', level, fields, message }), 'warn');
const log = batched<string>((lines) => send({ type: 'log', lines }));
const spans = batched<FinishedSpan>((finished) => send({ type: 'spans', spans: finished }));

async function start({ listener, fallback, observability: data, measured, sampler }: Start): Promise<Partial<WorkerDone>> {
  observability = data;
  activator = createActivator({
    forwarder: createPassingForwarder(),
    logger,
    ...(measured ? { meter: measurements } : {}),
    onColdStart: (revision) => send({ type: 'cold-start', revision }),
    onColdStartEnd: (revision) => send({ type: 'cold-start-end', revision }),
    onColdStartTimeout: (revision, waitedMs) => send({ type: 'cold-start-timeout', revision, waitedMs }),
    requestLog: createRequestLogs({ config: () => observability, write: log.add, logger }),
  });
  gateway = createGateway({
    router,
    activator,
    listener,
    httpsPort: () => httpsPort,
    logger,
    ...(sampler === undefined ? {} : { tracer: createTracer({ sampler, export: spans.add }) }),
    ...(fallback === undefined ? {} : { fallback: passAsItIs(neighbours, fallback) }),
  });
  // On the loopback address, and nobody else's business.
  inner = createHttpServer({ handler: passedRequests(activator), logger });
  return { internalPort: (await inner.listen()).port };
}

async function listen(ports: WorkerPorts): Promise<Partial<WorkerDone>> {
  try {
    return { ports: await openPorts(ports) };
  } catch (error) {
    await unlisten(0);
    throw error;
  }
}

async function openPorts({ host, port, tls }: WorkerPorts): Promise<NonNullable<WorkerDone['ports']>> {
  unnamed = tls?.unnamed;
  const plain = createHttpServer({ handler: gateway, host, port, reusePort: true, logger });
  servers.push(plain);
  const address = await plain.listen();
  if (tls === undefined) return { port: address.port };
  const secure = createHttpServer({
    handler: gateway,
    host,
    port: tls.port,
    reusePort: true,
    logger,
    tls: { certificateFor: (name) => (name === '' ? unnamedCertificate() : askCertificate(name)) },
  });
  servers.push(secure);
  httpsPort = (await secure.listen()).port;
  return { port: address.port, tls: httpsPort };
}

const certificateQuestions = new Map<number, (certificate: TlsCertificate | undefined) => void>();
// One object for each certificate: the TLS layer keeps what it has made of it. By content: there is no end of server names.
const certificates = new Map<string, TlsCertificate>();
const certificatesMax = 1_000;
let lastQuestion = 0;
let unnamed: TlsCertificate | undefined;

/** No handshake waits for it: a changed one takes effect at the next. */
function unnamedCertificate(): TlsCertificate | undefined {
  void askCertificate('').then((certificate) => (unnamed = certificate));
  return unnamed;
}

async function askCertificate(serverName: string): Promise<TlsCertificate | undefined> {
  const id = ++lastQuestion;
  const answer = await new Promise<TlsCertificate | undefined>((resolve) => {
    certificateQuestions.set(id, resolve);
    send({ type: 'certificate', id, serverName });
  });
  if (answer === undefined) return undefined;
  const content = `${answer.cert}\n${answer.key}`;
  const known = certificates.get(content);
  if (known !== undefined) return known;
  if (certificates.size >= certificatesMax) certificates.clear();
  certificates.set(content, answer);
  return answer;
}

function takeShare(revision: RevisionKey, settings: RevisionSettings, share: Share): void {
  if (share.through === undefined) {
    activator.setInstances(revision, share.instances, { ...settings, containerConcurrency: share.containerConcurrency });
    return;
  }
  const { through } = share;
  const target: ProcessTarget = { address: through, revision, addresses: () => [through] };
  // Who has the instances keeps their limit and the clients' favourites.
  const open: RevisionSettings = { ...settings, containerConcurrency: 0, sessionAffinity: false };
  activator.setInstances(revision, [{ id: `worker ${through}`, target }], open);
}

async function unlisten(graceMs: number): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.close(graceMs)));
  log.flush();
  spans.flush();
}

async function close(graceMs: number): Promise<void> {
  await unlisten(graceMs);
  await inner?.close(0);
  neighbours.close();
  await activator?.close();
}

function report(): Partial<WorkerDone> {
  const revisions = [...activator.reports()];
  const loads = revisions.map(([revision]): [RevisionKey, (readonly [string, number])[]] => [
    revision,
    activator.load(revision).map(({ id, inFlight }) => [id, inFlight]),
  ]);
  return { report: { revisions, loads, measurements: measurements.take() } };
}

async function answer(command: WorkerCommand): Promise<Partial<WorkerDone> | undefined> {
  switch (command.type) {
    case 'start':
      return start(command);
    case 'listen':
      return listen(command.ports);
    case 'unlisten':
      await unlisten(command.graceMs);
      return {};
    case 'share':
      takeShare(command.revision, command.settings, command.share);
      return {};
    case 'release':
      if (activator.has(command.revision)) await activator.drain(command.revision, command.instance);
      return {};
    case 'report':
      return report();
    case 'observability':
      observability = command.data;
      return undefined;
    case 'ingress':
      router.set(command.ingress);
      return undefined;
    case 'delete-ingress':
      router.delete(command.key);
      return undefined;
    case 'delete-revision':
      activator.deleteRevision(command.revision);
      return undefined;
    case 'certificate':
      certificateQuestions.get(command.id)?.(command.certificate);
      certificateQuestions.delete(command.id);
      return undefined;
    case 'close':
      await close(command.graceMs);
      process.exit(0);
  }
}

async function obey(command: WorkerCommand): Promise<void> {
  let done: Partial<WorkerDone> | undefined;
  try {
    done = await answer(command);
  } catch (error) {
    const code = KnativeError.is(error) ? error.code : 'SERVING_WORKER_FAILED';
    done = { error: { code, message: messageOf(error) } };
  }
  if (done !== undefined && 'id' in command) send({ ...done, type: 'done', id: command.id });
}

process.on('message', (command) => void obey(command as WorkerCommand));
// The terminal's Ctrl-C reaches the whole group: the owner decides when its workers end.
process.on('SIGINT', () => undefined);
// So does a service manager's request to stop.
process.on('SIGTERM', () => undefined);
// The owner is gone: nobody can say any more which instances live.
process.on('disconnect', () => process.exit(1));
