import type { FunctionDefinition } from '../../functions/define-function.ts';
import { isFunctionDefinition } from '../../functions/define-function.ts';
import { KnativeError } from '../../errors.ts';

/** Where a function runs: a pooled worker thread, a process of its own, or the host's own thread. */
export type Isolation = 'worker' | 'process' | 'in-process';

/** A function module as a program. */
export interface FunctionSpec {
  /** Path of the module, relative to the host's base folder; or the function itself, which then runs in process. */
  readonly function: string | FunctionDefinition | ((...args: never[]) => unknown);
  /** Default `worker`; `in-process` for a function value. */
  readonly isolation?: Isolation;
  readonly env?: Readonly<Record<string, string>>;
}

/** Any command that serves HTTP. */
export interface ProgramSpec {
  /** Program and fixed arguments. A first word with a slash is relative to the host's base folder. */
  readonly command: readonly string[];
  /** Arguments when the container gives none. */
  readonly args?: readonly string[];
  /** Environment of the image; the container's values win. */
  readonly env?: Readonly<Record<string, string>>;
  /** Uid or `uid:gid` when the container asks for none. Needs a host that may change user. */
  readonly user?: number | string;
  /** The program listens on this port whatever PORT says. */
  readonly port?: number;
  /** Working directory when the container gives none; default: the host's base folder. */
  readonly cwd?: string;
  /** Absolute paths of the image and what they are on this machine: used for commands, exec probes and working directories. */
  readonly paths?: Readonly<Record<string, string>>;
}

/** Runs the image itself by the command line of a container engine (`docker`, `podman`, `nerdctl`). */
export interface EngineSpec {
  readonly engine: string;
  /** Image to run; default: the reference of the container. */
  readonly image?: string;
  /** Further arguments of the engine's `run`. */
  readonly runArgs?: readonly string[];
}

/** One value of the host's `images` option. A text that ends in .ts, .js, .mjs, .cjs, .mts or .cts is a function module. */
export type ImageProgram =
  string | FunctionDefinition | ((...args: never[]) => unknown) | FunctionSpec | ProgramSpec | EngineSpec;

/** Image references and what runs for them: exact, or without tag or digest, or with `*` at the end (the longest one wins). */
export type Images = Readonly<Record<string, ImageProgram>>;

export interface FunctionProgram {
  readonly kind: 'function';
  readonly isolation: Isolation;
  /** Absolute path, or the function value. */
  readonly module: string | FunctionDefinition | ((...args: never[]) => unknown);
  readonly env: Readonly<Record<string, string>>;
  readonly paths: Readonly<Record<string, string>>;
}

export interface CommandProgram {
  readonly kind: 'command';
  readonly command: readonly [string, ...string[]];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly port: number | undefined;
  readonly cwd: string;
  readonly paths: Readonly<Record<string, string>>;
}

export interface EngineProgram {
  readonly kind: 'engine';
  readonly engine: string;
  readonly image: string;
  readonly runArgs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly paths: Readonly<Record<string, string>>;
}

export type Program = FunctionProgram | CommandProgram | EngineProgram;

/** Finds the program of an image. Only what it knows is ever run. */
export interface ImageMap {
  resolve(image: string): Program | undefined;
  /** Every module path and program, for looking ahead (pre-starting, existence checks). */
  readonly programs: readonly Program[];
}

export interface ImageMapOptions {
  /** Absolute folder that relative paths start from. */
  readonly baseDir: string;
}

/** Builds the map once; HOST_IMAGES_INVALID, with the entry as path, for an entry that cannot be understood. */
export function createImageMap(images: Images, options: ImageMapOptions): ImageMap {
  const exact = new Map<string, Program>();
  const prefixes: { prefix: string; program: Program }[] = [];
  for (const [reference, value] of Object.entries(images)) {
    const program = parseProgram(reference, value, options.baseDir);
    if (reference.endsWith('*')) prefixes.push({ prefix: reference.slice(0, -1), program });
    else exact.set(reference, program);
  }
  prefixes.sort((a, b) => b.prefix.length - a.prefix.length);
  const find = (image: string): Program | undefined =>
    exact.get(image) ??
    exact.get(withoutDigest(image)) ??
    exact.get(repositoryOf(image)) ??
    prefixes.find(({ prefix }) => image.startsWith(prefix))?.program;
  return {
    resolve(image) {
      const program = find(image);
      return program?.kind === 'engine' && program.image === '' ? { ...program, image } : program;
    },
    programs: [...exact.values(), ...prefixes.map(({ program }) => program)],
  };
}

/** What a container with this image waits for, in one sentence that says what to do. */
export function unmappedMessage(image: string): string {
  return (
    `no program for image ${JSON.stringify(image)}: map it in the host's images, for example ` +
    `{ ${JSON.stringify(repositoryOf(image))}: './function.ts' } or { ${JSON.stringify(repositoryOf(image))}: { command: ['python3', 'app.py'] } }`
  );
}

/** The reference without tag and digest. A colon before the last slash belongs to the registry's port. */
export function repositoryOf(image: string): string {
  const name = withoutDigest(image);
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}

function withoutDigest(image: string): string {
  const at = image.indexOf('@');
  return at < 0 ? image : image.slice(0, at);
}

const modulePattern = /\.[mc]?[jt]s$/;

function parseProgram(reference: string, value: ImageProgram, baseDir: string): Program {
  const invalid = (message: string, hint: string): KnativeError =>
    new KnativeError('HOST_IMAGES_INVALID', `images[${JSON.stringify(reference)}]: ${message}`, {
      path: `images[${JSON.stringify(reference)}]`,
      hint,
    });
  if (reference.slice(0, -1).includes('*') || reference === '') {
    throw invalid('not an image reference', "use '*' only as the last character");
  }
  const { resolve, isAbsolute } = process.getBuiltinModule('node:path');
  const path = (text: string): string => (isAbsolute(text) ? text : resolve(baseDir, text));
  if (typeof value === 'string') {
    if (!modulePattern.test(value)) {
      throw invalid(
        `${JSON.stringify(value)} is not a function module`,
        "name a .ts or .js file, or give { command: ['program'] }",
      );
    }
    return { kind: 'function', isolation: 'worker', module: path(value), env: {}, paths: {} };
  }
  if (typeof value === 'function' || isFunctionDefinition(value)) {
    return { kind: 'function', isolation: 'in-process', module: value, env: {}, paths: {} };
  }
  if (typeof value !== 'object' || value === null) throw invalid('not a program', 'see docs/instances.md for the forms');
  if ('function' in value) {
    const isText = typeof value.function === 'string';
    const isolation = value.isolation ?? (isText ? 'worker' : 'in-process');
    if (!['worker', 'process', 'in-process'].includes(isolation)) {
      throw invalid(`isolation ${JSON.stringify(isolation)} is unknown`, "use 'worker', 'process' or 'in-process'");
    }
    if (!isText && isolation !== 'in-process')
      throw invalid('a function value runs in process only', 'give the path of its module');
    return {
      kind: 'function',
      isolation,
      module: typeof value.function === 'string' ? path(value.function) : value.function,
      env: value.env ?? {},
      paths: {},
    };
  }
  if ('engine' in value) {
    return { kind: 'engine', engine: value.engine, image: value.image ?? '', runArgs: value.runArgs ?? [], env: {}, paths: {} };
  }
  if (!('command' in value)) throw invalid('neither command nor function nor engine', 'see docs/instances.md for the forms');
  const [first, ...rest] = value.command;
  if (first === undefined || first === '' || !value.command.every((word) => typeof word === 'string')) {
    throw invalid('command is empty or not a list of texts', "give the program and its arguments: ['python3', 'app.py']");
  }
  if (value.port !== undefined && !(Number.isInteger(value.port) && value.port > 0 && value.port < 65_536)) {
    throw invalid(`port ${value.port} is not a port number`, 'give 1 to 65535');
  }
  return {
    kind: 'command',
    command: [first.includes('/') ? path(first) : first, ...rest],
    args: value.args ?? [],
    env: value.env ?? {},
    user: value.user === undefined ? undefined : parseUser(value.user, invalid),
    port: value.port,
    cwd: path(value.cwd ?? '.'),
    paths: Object.fromEntries(Object.entries(value.paths ?? {}).map(([from, to]) => [from, path(to)])),
  };
}

function parseUser(
  user: number | string,
  invalid: (message: string, hint: string) => KnativeError,
): { uid: number; gid: number } {
  const match = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(String(user));
  if (match?.[1] === undefined) throw invalid(`user ${JSON.stringify(user)} is not numeric`, "give a uid or 'uid:gid'");
  const uid = Number(match[1]);
  return { uid, gid: match[2] === undefined ? uid : Number(match[2]) };
}
