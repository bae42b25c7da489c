import type { Handler } from '../../http/exchange.ts';

/** A probe as a container declares it (`corev1.Probe`). Seconds may be fractions; 0 or none as period means as fast as sensible until the first success. */
export interface ProbeSpec {
  readonly httpGet?: {
    readonly path?: string;
    /** Default: the serving port. */
    readonly port?: number | string;
    readonly scheme?: string;
    readonly host?: string;
    readonly httpHeaders?: readonly { readonly name: string; readonly value?: string }[];
  };
  readonly tcpSocket?: { readonly port?: number | string; readonly host?: string };
  readonly exec?: { readonly command?: readonly string[] };
  readonly grpc?: { readonly port?: number; readonly service?: string };
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly successThreshold?: number;
  readonly failureThreshold?: number;
  /** Time between SIGTERM and SIGKILL of a restart that this probe leads to; default: the instance's. */
  readonly terminationGracePeriodSeconds?: number;
  /** An HTTP readiness probe finds out by trial whether the program speaks HTTP/2 in the clear. Default false. */
  readonly detectHttp2?: boolean;
}

/** One container of an instance: what a Pod's container says, with every reference resolved. */
export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  /** Replaces the image's entry point. Needs `allowManifestCommands` unless the program aliases its first word. */
  readonly command?: readonly string[];
  /** Replaces the program's default arguments. */
  readonly args?: readonly string[];
  /** Resolved values; they win over the program's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  /** The container with a port is the serving one; its PORT is set. */
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly readinessProbe?: ProbeSpec;
  readonly livenessProbe?: ProbeSpec;
  readonly startupProbe?: ProbeSpec;
  readonly limits?: {
    /** Bytes; an instance above it is killed with reason OOMKilled. */
    readonly memoryBytes?: number;
  };
  readonly securityContext?: { readonly runAsUser?: number; readonly runAsGroup?: number };
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
    readonly readOnly?: boolean;
  }[];
}

/** One file of a volume, its content already resolved from config maps, secrets or projections. */
export interface VolumeFile {
  /** Relative to the volume's root, without `..`. */
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Permission bits; default 0o644. */
  readonly mode?: number;
}

export interface VolumeSpec {
  readonly name: string;
  /** Left out for an emptyDir. */
  readonly files?: readonly VolumeFile[];
}

/** What `Runtime.start` needs to know of a Pod. */
export interface InstanceSpec {
  /** Unique among all instances ever, safe as a file name (the Pod's uid). */
  readonly id: string;
  readonly namespace: string;
  readonly podName: string;
  readonly containers: readonly ContainerSpec[];
  /** Run one after the other, each to its end, before the containers start. */
  readonly initContainers?: readonly ContainerSpec[];
  readonly volumes?: readonly VolumeSpec[];
  /** Time between SIGTERM and SIGKILL when a container is restarted. Default 30,000. */
  readonly terminationGraceMs?: number;
}

export interface ContainerTerminated {
  /** 128 plus the signal's number after a signal. */
  readonly exitCode: number;
  readonly signal?: string;
  /** `Completed`, `Error`, `OOMKilled` or `ContainerCannotRun`. */
  readonly reason: string;
  readonly message: string;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number;
}

/** Exactly one of the three, as in a Pod's container status. */
export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'running'; readonly startedAtMs: number }
  | ({ readonly kind: 'terminated' } & ContainerTerminated);

export interface ContainerStatus {
  readonly name: string;
  readonly image: string;
  readonly state: ContainerState;
  /** How the run before this one ended. */
  readonly lastTerminated: ContainerTerminated | undefined;
  readonly ready: boolean;
  /** The startup probe, if any, has succeeded. */
  readonly started: boolean;
  readonly restartCount: number;
  /** Where this container deviates from what it asked for: another PORT, another user. */
  readonly notes: readonly string[];
}

export interface InstanceStatus {
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  /** Every container is ready: requests may come. */
  readonly ready: boolean;
  readonly startedAtMs: number;
  readonly containers: readonly ContainerStatus[];
  readonly initContainers: readonly ContainerStatus[];
}

export interface LogOptions {
  /** Only the last lines. */
  readonly tailLines?: number;
  /** Go on until the instance has stopped or the signal aborts. */
  readonly follow?: boolean;
  /** The run before the current one. */
  readonly previous?: boolean;
  readonly signal?: AbortSignal;
}

/** A running (or starting, crashing, stopped) instance: what a kubelet makes of a Pod. */
export interface Instance {
  readonly id: string;
  /** `127.0.0.1:port` of the serving container once it is known; it may change with a restart. */
  readonly address: string | undefined;
  /** Instead of an address for a function in this process. */
  readonly handler: Handler | undefined;
  /** Pieces of work that its functions gave to `context.waitUntil` and that are under way: they count as requests. */
  readonly backgroundWork: number;
  readonly status: InstanceStatus;
  /** Called after every change of status, address, handler or background work, until disposed. */
  onChange(listener: () => void): Disposable;
  /** Chunks of what a container wrote (default: the serving container). */
  logs(container?: string, options?: LogOptions): AsyncIterable<Uint8Array>;
  /** Replaces the files of a volume in one step, as a kubelet does when a config map or secret changes. */
  updateVolume(name: string, files: readonly VolumeFile[]): void;
  /** SIGTERM to everything, after `graceMs` SIGKILL; resolves when nothing of it is left. Further calls shorten the grace. */
  stop(graceMs?: number): Promise<void>;
}

/** Starts instances. A program that is missing, broken or not mapped shows in the instance's status. */
export interface Runtime extends AsyncDisposable {
  start(spec: InstanceSpec): Instance;
  /** The most instances of these containers that this machine can hold at once, and why; `undefined` for no limit. */
  instancesMax(containers: readonly ContainerSpec[]): { readonly max: number; readonly reason: string } | undefined;
  /** Stops all instances, each with `graceMs` (default 10,000), and the spare workers and processes. */
  close(graceMs?: number): Promise<void>;
}
