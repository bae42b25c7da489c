import { KnativeError } from '../../errors.ts';
import { findProject } from '../../functions/project.ts';
import { portOf } from '../../functions/listen-address.ts';
import { runEntry, type EntryStart } from '../../functions/run-entry.ts';
import { watchFunction } from '../../functions/watched-function.ts';
import type { Command, CommandContext } from '../command.ts';

export const command: Command = {
  name: 'run',
  summary: 'Run a function',
  usage: 'run [MODULE] [options]',
  help: `Serves the function of MODULE, a file or a project's folder (default the working directory): defineFunction, \`handle\` of func's
Node and TypeScript templates, functions registered with functions-framework, or plain functions. Type declarations are stripped by Node.

Options:
  --port N               port (default FUNC_PORT or PORT, else 8080; 0 lets the system choose)
  --host ADDRESS         address to listen on (default all interfaces)
  --watch                start anew when a file changes: the port stays open, running calls finish
  --target NAME          export or registered name of the function (default the default export or \`handle\`; FUNCTION_TARGET)
  --signature-type TYPE  http, cloudevent or event, for functions in functions-framework's style (FUNCTION_SIGNATURE_TYPE)
  --source PATH          the same as MODULE (FUNCTION_SOURCE)
  --style STYLE          native, faas or plain: conventions of a bare function (default by the project's dependencies)
  --log-level LEVEL      trace, debug, info, warn, error or silent (default FUNC_LOG_LEVEL, else info)
  -h, --help             this text

The function sees the environment of this command. SIGTERM and Ctrl-C finish running calls, run the shutdown hook and end with code 0.

Examples:
  knative-embed run ./hello.ts --watch
  FUNCTION_TARGET=helloHttp knative-embed run ./my-gcf-project`,
  options: {
    port: { type: 'string', short: 'p' },
    host: { type: 'string' },
    watch: { type: 'boolean', short: 'w' },
    target: { type: 'string' },
    'signature-type': { type: 'string' },
    source: { type: 'string' },
    style: { type: 'string' },
    'log-level': { type: 'string' },
  },
  async run(context) {
    if (context.positionals.length > 1) {
      context.printError('knative-embed run: name one module');
      return 2;
    }
    const start = toStart(context);
    if (context.options['watch'] === true) return runWatched(context, start);
    const { server, style } = await runEntry(start);
    context.print(`listening on http://127.0.0.1:${server.port} (${style})`);
    const failed = uncaught(context);
    const failure = await Promise.race([aborted(context.signal), failed]);
    await server.close();
    return failure === undefined ? 0 : 1;
  },
};

// The function's state is unknown after an error that nobody caught: say it, finish, and end with a code that says so.
function uncaught(context: CommandContext): Promise<Error> {
  return new Promise((resolve) => {
    process.once('uncaughtException', (error) => {
      context.printError(`uncaught error in the function: ${error.stack ?? error.message}`);
      resolve(error);
    });
  });
}

function toStart(context: CommandContext): EntryStart {
  const text = (name: string): string | undefined => {
    const value = context.options[name];
    return typeof value === 'string' ? value : undefined;
  };
  const port = portOf(text('port'), '--port');
  const target = text('target');
  const signatureType = text('signature-type');
  const style = text('style');
  if (style !== undefined && style !== 'native' && style !== 'faas' && style !== 'plain') {
    throw new KnativeError('CLI_OPTION_INVALID', `there is no style ${JSON.stringify(style)}`, {
      path: '--style',
      hint: 'choose native, faas or plain',
    });
  }
  const host = text('host');
  return {
    modulePath: context.positionals[0] ?? text('source') ?? context.env['FUNCTION_SOURCE'] ?? '.',
    env: { ...context.env, FUNC_LOG_LEVEL: text('log-level') ?? context.env['FUNC_LOG_LEVEL'] ?? 'info' },
    exposeErrors: true,
    compileCache: true,
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(target === undefined ? {} : { target }),
    ...(signatureType === undefined ? {} : { signatureType }),
    ...(style === undefined ? {} : { conventions: style }),
  };
}

async function runWatched(context: CommandContext, start: EntryStart): Promise<number> {
  const { file, folder } = findProject(start.modulePath);
  const { target, signatureType } = start;
  await using watched = await watchFunction({
    modulePath: file,
    folder,
    env: {
      ...start.env,
      ...(target === undefined ? {} : { FUNCTION_TARGET: target }),
      ...(signatureType === undefined ? {} : { FUNCTION_SIGNATURE_TYPE: signatureType }),
    },
    ...(start.port === undefined ? {} : { port: start.port }),
    ...(start.host === undefined ? {} : { host: start.host }),
    onEvent(event) {
      if (event.type === 'failed') context.printError(`cannot start: ${event.failure.stack ?? event.failure.message}`);
      else if (event.restarts > 0) context.print(`restarted in ${event.startMs.toFixed(0)} ms`);
    },
  });
  context.print(`listening on http://127.0.0.1:${watched.port}, watching ${folder}`);
  await aborted(context.signal);
  return 0;
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  // A pending promise alone does not keep the process alive; the listening server does.
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}
