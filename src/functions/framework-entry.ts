import type { AddressInfo } from 'node:net';
import { KnativeError } from '../errors.ts';
import { getServer } from './framework.ts';
import { redirectFramework } from './framework-imports.ts';
import { onlyRegistered, registeredFunction, signatureTypes, type SignatureType } from './framework-registry.ts';
import { listenAddressOf } from './listen-address.ts';
import { importModule, reach } from './load-function.ts';
import type { Project } from './project.ts';
import type { EntryStart } from './run-entry.ts';
import type { FunctionServer } from './serve.ts';

/** Runs a project that was written for functions-framework: its imports of that package reach this one's implementation. */
export async function startFrameworkEntry(project: Project, start: EntryStart): Promise<Pick<FunctionServer, 'port' | 'close'>> {
  redirectFramework();
  const module = await importModule(project.file);
  const target = start.target ?? start.env['FUNCTION_TARGET'];
  const named = target ?? 'function';
  const registered = registeredFunction(named) ?? (target === undefined ? onlyRegistered() : undefined);
  const found = registered?.userFunction ?? reach(module, named);
  if (typeof found !== 'function') {
    throw new KnativeError('FUNCTIONS_NOT_A_FUNCTION', `${project.file} has no function ${JSON.stringify(named)}`, {
      path: project.file,
      hint: 'name it with --target or FUNCTION_TARGET',
    });
  }
  const signatureType =
    registered?.signatureType ?? signatureOf(start.signatureType ?? start.env['FUNCTION_SIGNATURE_TYPE'] ?? 'http');
  const server = getServer(found as (...values: never[]) => unknown, { signatureType, env: start.env });
  const wanted = listenAddressOf(start.env);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(start.port ?? wanted.port, start.host ?? wanted.host, resolve);
  });
  let closing: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      closing ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      return closing;
    },
  };
}

function signatureOf(text: string): SignatureType {
  const found = signatureTypes.find((type) => type === text);
  if (found !== undefined) return found;
  throw new KnativeError('FUNCTIONS_SIGNATURE_INVALID', `there is no signature type ${JSON.stringify(text)}`, {
    path: 'signature-type',
    hint: `choose one of ${signatureTypes.join(', ')}`,
  });
}
