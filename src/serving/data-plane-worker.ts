// The program of one data-plane worker; started by `createDataPlaneWorkers`, which it obeys over the IPC channel.
import { KnativeError, messageOf } from '../errors.ts';
import { createHttpServer, createUpstream, respondText, type Exchange, type Handler } from '../http/index.ts';
import { createActivator, createGateway } from './data-plane/index.ts';
import { HeaderExchange } from './data-plane/workers/header-exchange.ts';
import type { Share, WorkerCommand, WorkerEvent } from './data-plane/workers/messages.ts';
import type { RevisionKey, RevisionSettings } from './data-plane/revision.ts';
import { createRouter } from './router.ts';

const revisionHeader = 'K-Worker-Revision';

const send = (event: WorkerEvent): void => void process.send?.(event);
const router = createRouter();
const activator = createActivator({ onColdStart: (revision) => send({ type: 'cold-start', revision }) });
const neighbours = createUpstream();

/** Takes the requests of workers that have no share of a revision. Its port is on the loopback address and nobody else's business. */
const internal: Handler = (exchange) => {
  const revision = exchange.header('k-worker-revision') ?? '';
  activator.handle(revision, exchange, { rawHeaders: withoutRevision(exchange.rawHeaders), proxied: true });
};

function withoutRevision(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, i) => rawHeaders[i & ~1]?.toLowerCase() !== 'k-worker-revision');
}

function passOn(revision: RevisionKey, address: string): Handler {
  return (exchange: Exchange) => {
    const passed = new HeaderExchange(exchange, [...exchange.rawHeaders, revisionHeader, revision]);
    neighbours.forward(passed, address, (error) => respondText(passed, 502, error.message));
    // The place here is free only when the answer has gone.
    return new Promise((resolve) => exchange.onFinished(() => resolve()));
  };
}

function apply(revision: RevisionKey, settings: RevisionSettings, share: Share): void {
  if (share.through !== undefined) {
    const target = { handler: passOn(revision, share.through) };
    activator.setInstances(revision, [{ id: `worker ${share.through}`, target }], { ...settings, containerConcurrency: 0 });
  } else activator.setInstances(revision, share.instances, { ...settings, containerConcurrency: share.containerConcurrency });
}

function toOwner(address: string): Handler {
  return (exchange) => neighbours.forward(exchange, address, (error) => respondText(exchange, 502, error.message));
}

async function listen({ host, port, listener, fallback }: Extract<WorkerCommand, { type: 'listen' }>): Promise<void> {
  const handler = createGateway({
    router,
    activator,
    listener,
    ...(fallback === undefined ? {} : { fallback: toOwner(fallback) }),
  });
  const server = createHttpServer({ handler, host, port, reusePort: true });
  const inner = createHttpServer({ handler: internal });
  const [address, innerAddress] = await Promise.all([server.listen(), inner.listen()]);
  close = async (graceMs) => {
    await server.close(graceMs);
    await inner.close(0);
    neighbours.close();
    await activator.close();
  };
  send({ type: 'listening', port: address.port, internalPort: innerAddress.port });
}

let close = (_graceMs: number): Promise<void> => Promise.resolve();

async function obey(command: WorkerCommand): Promise<void> {
  switch (command.type) {
    case 'listen':
      await listen(command);
      return;
    case 'ingress':
      router.set(command.ingress);
      return;
    case 'delete-ingress':
      router.delete(command.key);
      return;
    case 'share':
      apply(command.revision, command.settings, command.share);
      return;
    case 'release':
      if (activator.has(command.revision)) await activator.drain(command.revision, command.instance);
      send({ type: 'done', id: command.id });
      return;
    case 'delete-revision':
      activator.deleteRevision(command.revision);
      return;
    case 'report':
      send({ type: 'done', id: command.id, reports: [...activator.reports()] });
      return;
    case 'close':
      await close(command.graceMs);
      process.exit(0);
  }
}

process.on('message', (command) => {
  obey(command as WorkerCommand).catch((error: unknown) => {
    send({ type: 'failed', code: KnativeError.is(error) ? error.code : 'SERVING_WORKER_FAILED', message: messageOf(error) });
  });
});
// The owner is gone: nobody can say any more which instances live.
process.on('disconnect', () => process.exit(1));
