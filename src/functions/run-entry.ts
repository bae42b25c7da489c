import { useCompileCache } from './compile-cache.ts';
import type { Conventions } from './define-function.ts';
import type { Environment } from './context.ts';
import { readFuncYaml } from './func-yaml.ts';
import { startFrameworkEntry } from './framework-entry.ts';
import { loadFunctionOf } from './load-function.ts';
import type { OpenServer } from './open-server.ts';
import { findProject } from './project.ts';
import { serve, type FunctionServer, type ServeOptions } from './serve.ts';
import { createStandardLogger } from './standard-logger.ts';

/** What an entry needs to start a function. */
export interface EntryStart {
  readonly modulePath: string;
  readonly env: Environment;
  readonly port?: number;
  readonly host?: string;
  /** A server that listens already, instead of host and port. */
  readonly opened?: OpenServer;
  /** Which export or registered name is the function; default FUNCTION_TARGET. */
  readonly target?: string;
  /** Signature of a functions-framework function; default FUNCTION_SIGNATURE_TYPE, else http. */
  readonly signatureType?: string;
  readonly conventions?: Conventions;
  /** Told how many pieces of background work are under way, after every change. */
  readonly onBackground?: (count: number) => void;
  /** Keeps compiled code for the next start; for processes that run one function. Default false. */
  readonly compileCache?: boolean;
  /** Shows messages of errors that are the function's fault in answers; default false. */
  readonly exposeErrors?: boolean;
}

/** What runs, as far as its owner can say something about it. */
export interface Entry {
  readonly server: Pick<FunctionServer, 'port' | 'close'>;
  /** Which of the three styles the project has, for a line of log. */
  readonly style: 'native' | 'faas-js-runtime' | 'functions-framework' | 'plain';
}

/**
 * Loads a module and serves its function, whatever conventions it was written for; the log goes to standard output as JSON lines, at
 * FUNC_LOG_LEVEL (default warn).
 */
export async function startEntry(start: EntryStart): Promise<FunctionServer> {
  return (await runEntry(start)).server as FunctionServer;
}

/** `startEntry`, and what it found. */
export async function runEntry(start: EntryStart): Promise<Entry> {
  const project = findProject(start.modulePath);
  const { env } = start;
  const isFramework = project.isFramework || env['FUNCTION_SIGNATURE_TYPE'] !== undefined || start.signatureType !== undefined;
  if (isFramework) return { server: await startFrameworkEntry(project, start), style: 'functions-framework' };
  const writeCache = start.compileCache === true ? useCompileCache() : undefined;
  const target = start.target ?? env['FUNCTION_TARGET'];
  const { definition } = await loadFunctionOf(project, {
    ...(target === undefined ? {} : { target }),
    ...(start.conventions === undefined ? {} : { conventions: start.conventions }),
  });
  const faas = definition.conventions === 'faas';
  const own = faas ? await readFuncYaml(project.folder, env) : undefined;
  // Functions of func read process.env; this process or thread is theirs.
  for (const [name, value] of Object.entries(own?.envs ?? {})) process.env[name] ??= value;
  const options: ServeOptions = {
    env: own === undefined ? env : { ...own.envs, ...env },
    logger: createStandardLogger(own?.logLevel === undefined ? env : { ...env, FUNC_LOG_LEVEL: own.logLevel }),
    ...(start.host === undefined ? {} : { host: start.host }),
    ...(start.port === undefined ? {} : { port: start.port }),
    ...(start.opened === undefined ? {} : { opened: start.opened }),
    ...(start.onBackground === undefined ? {} : { onBackground: start.onBackground }),
    // A moment later, so that the answer is out first.
    ...(writeCache === undefined ? {} : { onFirstAnswer: () => setImmediate(writeCache) }),
    ...(start.exposeErrors === undefined ? {} : { exposeErrors: start.exposeErrors }),
    ...(faas ? faasSettings(env, own) : {}),
  };
  const style = faas ? 'faas-js-runtime' : definition.conventions === 'plain' ? 'plain' : 'native';
  return { server: await serve(definition, options), style };
}

// func.yaml's settings win over the variables, as in faas-js-runtime.
function faasSettings(env: Environment, own: Awaited<ReturnType<typeof readFuncYaml>>): Partial<ServeOptions> {
  const limit = own?.bodyLimit ?? Number(env['FUNC_BODY_LIMIT'] ?? NaN);
  return {
    includeRaw: own?.includeRaw ?? env['FUNC_INCLUDE_RAW'] !== undefined,
    metrics: own?.name ?? true,
    ...(Number.isFinite(limit) ? { bodyBytesMax: limit } : {}),
  };
}
