import { watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { brokers } from '../../api/eventing/broker.ts';
import { triggers } from '../../api/eventing/trigger.ts';
import { pods } from '../../api/core/pod.ts';
import { services } from '../../api/serving/service.ts';
import { revisions } from '../../api/serving/revision.ts';
import type { Kind } from '../../api/kind.ts';
import type { Resource } from '../../api/resource.ts';
import { KnativeError, messageOf } from '../../errors.ts';
import {
  createHost,
  isReady,
  readFolderDocuments,
  readSettings,
  settingsFileName,
  whyNot,
  type FolderSettings,
  type Host,
  type Images,
  type ListenOptions,
} from '../../host/index.ts';
import { ManifestFolder, type ApplyOptions, type FolderDocument } from '../../host/index.ts';
import { createHttpServer, createMetricsHandler, type HttpServer } from '../../serving/index.ts';
import { createLogger, logLevels, type Logger, type LogLevel } from '../../logger.ts';
import { createRegistry, type Registry } from '../../telemetry/index.ts';
import type { Command, CommandContext } from '../command.ts';
import { describeWorld } from '../describe-world.ts';
import { serveOperations } from '../operations-server.ts';

const manifestPattern = /\.(ya?ml|json)$/;
const ownFiles = new Set([settingsFileName, 'package.json', 'package-lock.json', 'tsconfig.json']);
const watchQuietMs = 100;
const settleTimeoutMs = 60_000;

export const command: Command = {
  name: 'dev',
  summary: 'Run a folder of manifests on this machine and watch it',
  usage: 'dev [FOLDER] [options]',
  help: `Applies every manifest (*.yaml, *.yml, *.json) of FOLDER (default: the working directory) in order of file name, runs what
they describe on this machine, and applies changes as you save them. ${settingsFileName} in the folder says which program runs for
which container image:

  images:
    example.com/hello: ./hello.ts                       # a function module
    example.com/app: { command: [python3, app.py] }     # any program that listens on $PORT

Options:
  --port PORT          gateway port (default 8080; 0 lets the system choose)
  --host ADDRESS       address to listen on (default 127.0.0.1)
  --https-port PORT    serve HTTPS as well: each name by the Secret that its DomainMapping or Ingress has, others by --tls-cert
  --tls-cert FILE      certificate chain for names without a Secret (PEM), with --tls-key FILE
  --metrics-port PORT  measurements for Prometheus on http://ADDRESS:PORT/metrics (default: none are taken)
  --workers N          processes that take requests and share the ports (default 1: this one alone)
  --cold-start-timeout DURATION
                       how long a request may wait for a service's first instance, such as 30s (default: its timeoutSeconds)
  --data-dir FOLDER    logs, volumes and records of running programs (default FOLDER/.knative-embed)
  --log-level LEVEL    ${logLevels.join(', ')} (default warn); scale decisions are always printed
  --no-watch           apply once, do not watch
  -h, --help           this text

Ctrl-C stops: requests under way finish, then every program is ended. A second Ctrl-C stops at once.`,
  options: {
    port: { type: 'string' },
    host: { type: 'string' },
    'https-port': { type: 'string' },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
    'metrics-port': { type: 'string' },
    workers: { type: 'string' },
    'cold-start-timeout': { type: 'string' },
    'data-dir': { type: 'string' },
    'log-level': { type: 'string' },
    'no-watch': { type: 'boolean' },
  },
  run: (context) => dev(context),
};

async function dev(context: CommandContext): Promise<number> {
  const { options, positionals, print, printError, signal } = context;
  const folder = resolve(positionals[0] ?? '.');
  const port = portOf(options, 'port') ?? 8080;
  const listenHost = typeof options['host'] === 'string' ? options['host'] : '127.0.0.1';
  const tls = await tlsOf(options);
  const metricsPort = portOf(options, 'metrics-port');
  const registry = metricsPort === undefined ? undefined : createRegistry();
  const coldStartTimeout = options['cold-start-timeout'];
  const settings = await settingsOf(folder);
  const startedMs = performance.now();
  const dataDir = resolve(typeof options['data-dir'] === 'string' ? options['data-dir'] : join(folder, '.knative-embed'));
  await using host = await createHost({
    // The image map checks each entry and names the one that is wrong.
    images: settings.images as Images,
    baseDir: folder,
    dataDir,
    ...(settings.domain === undefined ? {} : { domain: settings.domain }),
    allowManifestCommands: settings.allowManifestCommands ?? false,
    logger: loggerOf(context, options['log-level']),
    ...(registry === undefined ? {} : { meter: registry }),
    ...(typeof options['workers'] === 'string' ? { workers: Number(options['workers']) } : {}),
    ...(typeof coldStartTimeout === 'string' ? { coldStartTimeout } : {}),
    onColdStartTimeout: (revision, waitedMs, why) =>
      printError(`no instance of ${revision.replace(/^default\//, '')} within ${waitedMs / 1000} s: ${why}`),
    onRequestLog: (line) => print(line.trimEnd()),
    onScale: (revision, from, to, why) => print(`scale ${revision.replace(/^default\//, '')} ${from} -> ${to}: ${why}`),
  });
  const address = await host.listen({ port, host: listenHost, ...(tls === undefined ? {} : { tls }) });
  const secure = address.tls === undefined ? '' : ` and ${address.tls.url}`;
  print(`knative-embed dev ${positionals[0] ?? '.'}: gateway on ${address.url}${secure}`);
  await using metrics = registry === undefined ? undefined : await serveMetrics(registry, metricsPort ?? 0, listenHost);
  if (metrics !== undefined) print(`metrics on ${metrics.address().url}/metrics`);
  await using _operations = await serveOperations(dataDir, {
    brokers: () => host.store.view.list(brokers).map(({ metadata: { namespace, name } }) => `${namespace ?? ''}/${name}`),
    brokerOf: (namespace, name) => host.broker(namespace, name),
  });

  const manifests = new ManifestFolder({
    read: () => readManifests(folder),
    parse: readFolderDocuments,
    apply: (document) => applyDocument(host, document, settings, context),
    remove: (document) => removeObject(host, document),
    settled: (document) => settled(host, document),
  });
  const sync = async (): Promise<void> => {
    const { applied, removed, problems } = await manifests.sync();
    for (const { identity, file } of applied) print(`applied ${identity} (${file})`);
    for (const { identity } of removed) print(`removed ${identity}`);
    for (const { message } of problems) printError(`error: ${message}`);
  };
  await sync();
  await untilUp(host, context);
  if (!signal.aborted) {
    for (const line of describeWorld(host, address.port)) print(line);
    print(`ready in ${((performance.now() - startedMs) / 1000).toFixed(1)} s, Ctrl-C stops`);
  }
  if (options['no-watch'] !== true) watchFolder(folder, host, context, sync);
  await new Promise<void>((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
  print('stopping: requests under way finish');
  await host.close();
  print('stopped');
  return 0;
}

function portOf(options: CommandContext['options'], name: string): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  const port = Number(value);
  if (value !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new KnativeError('CLI_OPTION_INVALID', `--${name} ${String(value)} is not a port number`, {
    path: name,
    hint: 'give 0 to 65535',
  });
}

async function tlsOf(options: CommandContext['options']): Promise<ListenOptions['tls']> {
  const port = portOf(options, 'https-port');
  const { 'tls-cert': cert, 'tls-key': key } = options;
  if (cert === undefined && key === undefined) return port === undefined ? undefined : { port };
  if (port === undefined || typeof cert !== 'string' || typeof key !== 'string') {
    throw new KnativeError('CLI_OPTION_INVALID', '--tls-cert and --tls-key go together, with --https-port', { path: 'tls-cert' });
  }
  const read = (file: string, name: string): Promise<string> =>
    readFile(file, 'utf8').catch((error: unknown) => {
      throw new KnativeError('CLI_OPTION_INVALID', `--${name}: ${messageOf(error)}`, { path: name });
    });
  return { port, certificate: { cert: await read(cert, 'tls-cert'), key: await read(key, 'tls-key') } };
}

async function serveMetrics(registry: Registry, port: number, host: string): Promise<HttpServer> {
  const series = createMetricsHandler(registry);
  const server = createHttpServer({
    port,
    host,
    handler: (exchange) => (exchange.target.startsWith('/metrics') ? series(exchange) : exchange.respond(404, [])),
  });
  await server.listen();
  return server;
}

function loggerOf({ printError }: CommandContext, level: unknown): Logger {
  const chosen = level === undefined ? 'warn' : level;
  if (!logLevels.includes(chosen as LogLevel)) {
    throw new KnativeError('CLI_OPTION_INVALID', `--log-level ${String(level)} is unknown`, {
      path: 'log-level',
      hint: `use one of ${logLevels.join(', ')}`,
    });
  }
  return createLogger((name, fields, message) => printError(`${name} ${message} ${JSON.stringify(fields)}`), chosen as LogLevel);
}

async function settingsOf(folder: string): Promise<FolderSettings> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new KnativeError('CLI_FOLDER_NOT_FOUND', `${folder} is not a folder`, {
      hint: 'name the folder that holds your manifests',
    });
  }
  const text = await readFile(join(folder, settingsFileName), 'utf8').catch(() => undefined);
  return text === undefined ? { images: {} } : readSettings(text);
}

async function readManifests(folder: string): Promise<{ file: string; text: string }[]> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isFile() && manifestPattern.test(entry.name) && !ownFiles.has(entry.name))
    .map(({ name }) => name)
    .sort();
  return Promise.all(names.map(async (file) => ({ file, text: await readFile(join(folder, file), 'utf8') })));
}

/** The object that a document describes, as the host knows it now. */
function objectOf(host: Host, document: FolderDocument): { kind: Kind; resource: Resource } | undefined {
  const { apiVersion, kind: kindName, metadata } = document.content as Resource;
  const kind = host.store.view.kindOf(apiVersion, kindName);
  if (kind === undefined) return undefined;
  const resource = host.get(kind, kind.namespaced ? (metadata.namespace ?? 'default') : undefined, metadata.name);
  return resource === undefined ? undefined : { kind, resource };
}

async function applyDocument(
  host: Host,
  document: FolderDocument,
  { dialect }: FolderSettings,
  { printError }: CommandContext,
): Promise<void> {
  // The dialect's name is checked by admission, which lists the known ones.
  const options = dialect === undefined ? {} : { dialect: dialect as NonNullable<ApplyOptions['dialect']> };
  const { documents } = await host.apply(document.content as object, options);
  for (const { report, warnings } of documents) {
    for (const { path, level, message } of report) {
      if (level !== 'unsupported') continue;
      const { line, column } = document.locate(path);
      printError(`warning: ${document.file}:${line}:${column}: ${path}: ${message}`);
    }
    for (const warning of warnings)
      if (!warning.includes('Kubernetes default value is insecure')) printError(`warning: ${document.file}: ${warning}`);
  }
}

async function removeObject(host: Host, document: FolderDocument): Promise<void> {
  const found = objectOf(host, document);
  if (found !== undefined) await host.delete(found.kind, found.resource.metadata.namespace, found.resource.metadata.name);
}

/** A Service has taken effect once the revision of its current template exists; everything else at once. */
async function settled(host: Host, document: FolderDocument): Promise<void> {
  const { kind, metadata } = document.content as Resource;
  if (kind !== 'Service' || objectOf(host, document)?.kind !== services) return;
  const namespace = metadata.namespace ?? 'default';
  await host.waitFor(
    `the revision of ${document.identity} exists`,
    () => {
      const service = host.get(services, namespace, metadata.name);
      const created = service?.status?.latestCreatedRevisionName;
      const isCurrent = service?.status?.observedGeneration === service?.metadata.generation;
      return isCurrent && created !== undefined && host.get(revisions, namespace, created) !== undefined;
    },
    { timeoutMs: settleTimeoutMs },
  );
}

/** Waits until all services, brokers and triggers are ready; says what is not when it takes long. */
async function untilUp(host: Host, { printError, signal }: CommandContext): Promise<void> {
  const pending = (): { kind: Kind; resource: Resource }[] =>
    [services, brokers, triggers].flatMap((kind: Kind) =>
      host
        .list(kind)
        .filter((resource) => !isReady(resource))
        .map((resource) => ({ kind, resource })),
    );
  try {
    await host.waitFor('everything is up', () => pending().length === 0, { timeoutMs: settleTimeoutMs, signal });
  } catch (error) {
    if (signal.aborted) return;
    if (!KnativeError.is(error) || error.code !== 'HOST_TIMEOUT') throw error;
    for (const { kind, resource } of pending())
      printError(`not ready: ${kind.kind} ${resource.metadata.name}: ${whyNot(resource)}`);
  }
}

function watchFolder(folder: string, host: Host, { print, printError, signal }: CommandContext, sync: () => Promise<void>): void {
  let timer: NodeJS.Timeout | undefined;
  const changed = new Set<string>();
  const apply = async (): Promise<void> => {
    const names = [...changed];
    changed.clear();
    if (names.includes(settingsFileName)) print(`${settingsFileName} has changed: restart to take it over`);
    if (names.some((name) => manifestPattern.test(name))) await sync();
    if (names.some((name) => /\.[mc]?[jt]s$|\.py$/.test(name))) await restart(host, print);
  };
  const watcher = watch(folder, { recursive: true, signal }, (_event, name) => {
    if (name === null || name.startsWith('.knative-embed') || name.startsWith('node_modules')) return;
    changed.add(name);
    clearTimeout(timer);
    timer = setTimeout(() => void apply().catch((error: unknown) => printError(`error: ${messageOf(error)}`)), watchQuietMs);
  });
  watcher.on('error', (error) => printError(`error: the folder cannot be watched any more: ${error.message}`));
}

/** Programs have changed: running instances are replaced by fresh ones. */
async function restart(host: Host, print: (line: string) => void): Promise<void> {
  const running = host.list(pods).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (running.length === 0) return;
  print(`programs have changed: replacing ${running.length} instance${running.length === 1 ? '' : 's'}`);
  for (const { metadata } of running) await host.delete(pods, metadata.namespace, metadata.name);
}
