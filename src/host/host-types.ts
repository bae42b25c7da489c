import type { Activity } from '../activity.ts';
import type { Kind } from '../api/kind.ts';
import type { ListSelector } from '../api/reconciler.ts';
import type { Resource } from '../api/resource.ts';
import type { Explanation, Policy } from '../autoscaler/index.ts';
import type { Clock } from '../clock.ts';
import type { Duration } from '../duration.ts';
import type { Controller } from '../controller/controller.ts';
import type { MemoryStore } from '../controller/memory-store.ts';
import type { WatchEvent } from '../controller/resource-store.ts';
import type { Broker, EventLog } from '../eventing/index.ts';
import type { Handler, HttpClient, HttpServerAddress, TlsCertificate } from '../http/index.ts';
import type { Logger } from '../logger.ts';
import type { Random } from '../random.ts';
import type { Tracer } from '../telemetry/index.ts';
import type { Meter } from '../telemetry/meter.ts';
import type { ApplyOptions, ApplyResult } from './apply.ts';
import type { RuntimeOptions } from './runtimes/create-runtime.ts';
import type { Images } from './runtimes/image-map.ts';

export interface HostOptions {
  /** Which program runs for which container image. Only these ever run. */
  readonly images?: Images;
  /** Folder that relative paths of `images` start from. Default: the working directory. */
  readonly baseDir?: string;
  /** Folder for logs, volumes and process records; instances left by a killed host are found there and ended. Default: a temporary one. */
  readonly dataDir?: string;
  /** Domain of the routes: `NAME.NAMESPACE.DOMAIN`. Default `localhost`, whose names lead to this machine without DNS in curl and browsers. */
  readonly domain?: string;
  /** Lets manifests run any `command` they name. Default false. */
  readonly allowManifestCommands?: boolean;
  /**
   * Logs of further broker classes, by the name in the annotation `eventing.knative.dev/broker.class`: a function that makes the log of
   * one broker (`namespace/name`), such as `(broker) => jetStreamLog({ stream: broker.replace('/', '-') })`. Brokers of other classes say
   * that they do not run here.
   */
  readonly brokerClasses?: Readonly<Record<string, (broker: string) => EventLog>>;
  /** Autoscaling policy of a revision (`namespace/name`). Default: the KPA. */
  readonly policyFor?: (revision: string) => Policy | undefined;
  /**
   * Processes that take requests; they share the ports of `listen` (Linux). 1: the host's own process alone. More need real sockets,
   * the real clock, and a `tracer` that takes spans of other processes (`createTracer`). Functions in process stay in the host's process, whose share of the requests passes through. Default 1.
   */
  readonly workers?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  /** Where measurements go; `createRegistry()` of the telemetry kit or `openTelemetry()`. Default: nowhere. */
  readonly meter?: Meter;
  /** Spans of the gateway, below the caller's `traceparent`. Default: none; requests carry W3C trace context all the same. */
  readonly tracer?: Tracer;
  /**
   * How long a request may wait for the first instance of a revision; it is answered 504 then. The revision's own time limits begin
   * once the request has an instance. Default: no budget, those limits count from the request's arrival, as upstream.
   */
  readonly coldStartTimeout?: Duration;
  /** Called when that budget has run out for a request, with what the instances wait for. */
  readonly onColdStartTimeout?: (revision: string, waitedMs: number, why: string) => void;
  /** Gets the lines of request logs, line break included. Default: they go to `logger` as `info`. `config-observability` turns them on. */
  readonly onRequestLog?: (line: string) => void;
  /** Counts work that a virtual clock cannot see. */
  readonly activity?: Activity;
  /** `memory`: no sockets at all, requests to the outside are refused; for tests on virtual time. Default `sockets`. */
  readonly transport?: 'sockets' | 'memory';
  /** More of the instance runtime, such as spares and restart waits. */
  readonly runtime?: Pick<RuntimeOptions, 'spares' | 'restartBackoff' | 'entries' | 'prober' | 'environment'>;
  /** Called when the autoscaler wants another number of instances, with the reason in a sentence. */
  readonly onScale?: (revision: string, from: number, to: number, why: string) => void;
}

export interface ReadyOptions {
  /** Default `default`. */
  readonly namespace?: string;
  /** Default 60 s, by the host's clock. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface FetchOptions {
  /** Default `default`. */
  readonly namespace?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export interface ListenOptions {
  /** Default 8080; 0 lets the system choose. */
  readonly port?: number;
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Opens a second port for HTTPS. Both speak HTTP/1.1 and HTTP/2. */
  readonly tls?: TlsListenOptions;
}

/** Certificates by server name (SNI), asked at each handshake: a changed one takes effect without a restart. */
export interface TlsListenOptions {
  /** Default 8443; 0 lets the system choose. */
  readonly port?: number;
  /** Asked before the Secrets that Ingresses name (`spec.tls` of a DomainMapping, external-domain-tls); '' for clients that send no name. */
  readonly certificateFor?: (serverName: string) => TlsCertificate | undefined;
  /** For all names that have no other one, and for clients that send none. */
  readonly certificate?: TlsCertificate;
}

export interface ListenAddress extends HttpServerAddress {
  /** The HTTPS port, when `tls` was given. */
  readonly tls?: HttpServerAddress;
}

/** A controller host: Knative on this machine. */
export interface Host extends AsyncDisposable {
  /** Reads a manifest (YAML or JSON text, or an object), admits every document, then stores them in order. Throws API_INVALID and stores nothing when one is refused. */
  apply(manifest: string | object, options?: ApplyOptions): Promise<ApplyResult>;
  get<R extends Resource>(kind: Kind<R>, namespace: string | undefined, name: string): R | undefined;
  list<R extends Resource>(kind: Kind<R>, selector?: ListSelector): readonly R[];
  delete(kind: Kind, namespace: string | undefined, name: string): Promise<void>;
  watch(listener: (event: WatchEvent) => void): Disposable;
  /** Resolves when the object's Ready condition is True. Throws HOST_NOT_READY with the condition's reason when it does not become so in time. */
  ready(resource: string, name: string, options?: ReadyOptions): Promise<Resource>;
  /** Resolves when `condition` holds; it is looked at after every change of the store. Throws HOST_TIMEOUT. */
  waitFor(what: string, condition: () => boolean, options?: Pick<ReadyOptions, 'timeoutMs' | 'signal'>): Promise<void>;
  /** A request to a service by name; needs neither a port nor DNS. */
  fetch(service: string, path?: string, options?: FetchOptions): Promise<Response>;
  /** The entrance for requests from outside: mount it on any server. */
  readonly handler: Handler;
  /** Sends requests as programs of this host would: it knows all cluster names. */
  readonly client: HttpClient;
  /** Opens the gateway's port, and one for HTTPS with `tls`. */
  listen(options?: ListenOptions): Promise<ListenAddress>;
  broker(namespace: string, name: string): Broker | undefined;
  /** Why a revision has the number of instances that it has. */
  explainScale(namespace: string, revision: string): Explanation | undefined;
  /** What an instance wrote, as text chunks. */
  logs(namespace: string, pod: string, container?: string): AsyncIterable<Uint8Array>;
  readonly store: MemoryStore;
  readonly controller: Controller;
  /** Finishes requests under way (at most `graceMs`, default 10 s), stops all instances and closes everything. */
  close(graceMs?: number): Promise<void>;
}
