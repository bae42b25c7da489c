import type { Activity } from '../activity.ts';
import type { Kind } from '../api/kind.ts';
import type { ListSelector } from '../api/reconciler.ts';
import type { Resource } from '../api/resource.ts';
import type { Explanation, Policy } from '../autoscaler/index.ts';
import type { Clock } from '../clock.ts';
import type { Controller } from '../controller/controller.ts';
import type { MemoryStore } from '../controller/memory-store.ts';
import type { WatchEvent } from '../controller/resource-store.ts';
import type { Broker } from '../eventing/index.ts';
import type { Handler, HttpClient, HttpServerAddress } from '../http/index.ts';
import type { Logger } from '../logger.ts';
import type { Random } from '../random.ts';
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
  /** Autoscaling policy of a revision (`namespace/name`). Default: the KPA. */
  readonly policyFor?: (revision: string) => Policy | undefined;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly meter?: Meter;
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
  /** Opens the gateway's port. */
  listen(options?: { readonly port?: number; readonly host?: string }): Promise<HttpServerAddress>;
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
