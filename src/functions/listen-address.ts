import { KnativeError } from '../errors.ts';
import type { Environment } from './context.ts';

/** Where the environment wants a function to listen: FUNC_PORT or PORT, else LISTEN_ADDRESS (`host:port`), else port 8080 on all interfaces. */
export function listenAddressOf(env: Environment): { readonly host: string; readonly port: number } {
  const own = portOf(env['FUNC_PORT'], 'FUNC_PORT') ?? portOf(env['PORT'], 'PORT');
  const address = env['LISTEN_ADDRESS'];
  if (address === undefined || address === '') return { host: '::', port: own ?? 8080 };
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host: host === '' ? '::' : host, port: own ?? portOf(address.slice(colon + 1), 'LISTEN_ADDRESS') ?? 8080 };
}

/** A port number of an environment variable; an error that names the variable when it is none. */
export function portOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new KnativeError('FUNCTIONS_PORT_INVALID', `${name} is ${JSON.stringify(text)}`, {
    path: name,
    hint: 'a port is a number from 0 to 65535',
  });
}
