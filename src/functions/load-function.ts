import { KnativeError, messageOf } from '../errors.ts';
import {
  isFunctionDefinition,
  makeDefinition,
  type Conventions,
  type FunctionDefinition,
  type FunctionOptions,
} from './define-function.ts';
import { redirectFaasTypes } from './faas-imports.ts';
import { findProject, type Project } from './project.ts';

export interface LoadOptions {
  /** Which export is the function; dots reach into objects. Default: the default export, else `handle`. */
  readonly target?: string;
  /** Conventions of functions that are not made by `defineFunction`. Default: faas when the project depends on faas-js-runtime or has a func.yaml, else native. */
  readonly conventions?: Conventions;
}

/** A function and where it came from. */
export interface LoadedFunction {
  readonly definition: FunctionDefinition;
  /** The module's file, absolute. */
  readonly file: string;
}

/**
 * Loads a function from a module: a `defineFunction` export, a function, or an object or module with `handle` and hooks; ES
 * modules, CommonJS and TypeScript (by Node's type stripping). A folder stands for its `main`, build/index.js, index.* or function.*.
 * Throws FUNCTIONS_LOAD_FAILED or FUNCTIONS_NOT_A_FUNCTION with the file's name.
 */
export async function loadFunction(path: string, options: LoadOptions = {}): Promise<LoadedFunction> {
  return loadFunctionOf(findProject(path), options);
}

/** `loadFunction` for a project that has been found already. */
export async function loadFunctionOf(project: Project, options: LoadOptions = {}): Promise<LoadedFunction> {
  if (project.isFaas && /\.[cm]?ts$/.test(project.file)) redirectFaasTypes();
  const module = await importModule(project.file);
  const candidate = options.target === undefined ? defaultTarget(module) : reach(module, options.target);
  return { definition: toDefinition(candidate, project, options), file: project.file };
}

/** Imports a module file; failures say which file and, where we know it, what to do. */
export async function importModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  const { pathToFileURL } = process.getBuiltinModule('node:url');
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new KnativeError('FUNCTIONS_LOAD_FAILED', `cannot load ${file}: ${messageOf(cause)}`, {
      cause,
      path: file,
      ...hintFor(cause, file),
    });
  }
}

function hintFor(cause: unknown, file: string): { hint?: string } {
  if (/\.[cm]?ts$/.test(file) && /does not provide an export named|Named export/.test(messageOf(cause))) {
    return {
      hint: 'Node only strips types: write `import type` for what is only a type, or build the project first (npm run build)',
    };
  }
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return { hint: 'Node only strips types: replace enums, parameter properties and namespaces, or compile the file first' };
    case 'ERR_MODULE_NOT_FOUND':
    case 'MODULE_NOT_FOUND':
      return { hint: 'a module that it imports is missing: run npm install in its project' };
    default:
      return {};
  }
}

type Module = Readonly<Record<string, unknown>>;

// CommonJS modules show their exports as `default`; compiled ES modules hide theirs one level deeper.
function defaultTarget(module: Module): unknown {
  const direct = module['default'];
  if (isCandidate(direct)) return direct;
  if (isRecord(direct) && isCandidate(direct['default'])) return direct['default'];
  if (isCandidate(module)) return module;
  const named = Object.values(module).filter(isFunctionDefinition);
  return named.length === 1 ? named[0] : undefined;
}

function isCandidate(value: unknown): boolean {
  return typeof value === 'function' || isFunctionDefinition(value) || (isRecord(value) && typeof value['handle'] === 'function');
}

/** What a dotted name means in a module; CommonJS modules show their exports as `default` too. */
export function reach(module: Module, target: string): unknown {
  const steps = target.split('.');
  const follow = (start: unknown): unknown =>
    steps.reduce<unknown>(
      (value, step) => (isRecord(value) || typeof value === 'function' ? (value as Module)[step] : undefined),
      start,
    );
  return follow(module) ?? follow(module['default']);
}

function isRecord(value: unknown): value is Module {
  return typeof value === 'object' && value !== null;
}

function toDefinition(candidate: unknown, project: Project, options: LoadOptions): FunctionDefinition {
  if (isFunctionDefinition(candidate)) return candidate;
  const conventions = options.conventions ?? (project.isFaas ? 'faas' : 'native');
  if (typeof candidate === 'function') return definitionOf({ handle: candidate, ...pickHooks(candidate) }, conventions);
  if (isRecord(candidate) && typeof candidate['handle'] === 'function') return definitionOf(candidate, conventions);
  throw new KnativeError(
    'FUNCTIONS_NOT_A_FUNCTION',
    options.target === undefined
      ? `${project.file} exports no function`
      : `${project.file} has no function ${JSON.stringify(options.target)}`,
    { path: project.file, hint: 'export default defineFunction(…), a function, or an object with `handle`' },
  );
}

// riff's plain functions may carry `$init` and `$destroy`, which also mark them as such.
function pickHooks(fn: object): Module {
  const marks = fn as Module;
  if (!('$init' in marks) && !('$destroy' in marks) && !('$argumentType' in marks) && !('$interactionModel' in marks)) return {};
  return { init: marks['$init'], shutdown: marks['$destroy'], plain: true };
}

/** A definition from an object with `handle` and optional hooks, the shape of faas-js-runtime's functions. */
export function definitionOf(source: Module, conventions: Conventions): FunctionDefinition {
  const handle = source['handle'] as (context: never, argument: never) => unknown;
  const hook = <Name extends keyof FunctionOptions>(name: Name): Partial<Pick<FunctionOptions, Name>> => {
    const value = source[name];
    return typeof value === 'function' ? ({ [name]: value } as Partial<Pick<FunctionOptions, Name>>) : {};
  };
  const options: FunctionOptions = {
    ...hook('init'),
    ...hook('shutdown'),
    ...hook('liveness'),
    ...hook('readiness'),
    ...hook('cors'),
  };
  if (source['plain'] === true || conventions === 'plain') {
    return makeDefinition({
      kind: 'plain',
      conventions: 'plain',
      handle: (_context: never, argument: never) => (handle as (argument: never) => unknown)(argument),
      options,
    });
  }
  return makeDefinition({ kind: 'either', conventions, handle, options });
}
