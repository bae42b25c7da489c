import type { Clock } from '../clock.ts';
import { createHttpServer, type Handler, type TlsOptions } from '../http/index.ts';
import type { Logger } from '../logger.ts';
import type { Certificates } from './certificates.ts';
import type { ListenAddress, ListenOptions, TlsListenOptions } from './host-types.ts';

export interface OpenPortsContext {
  readonly handler: Handler;
  readonly certificates: Certificates;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A port that takes requests from outside. */
export interface OpenPort {
  /** Accepts nothing more; running requests finish within `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Opens the gateway's ports, all or none. */
export async function openPorts(
  { port = 8080, host = '127.0.0.1', tls }: ListenOptions,
  { handler, certificates, clock, logger }: OpenPortsContext,
): Promise<{ readonly opened: readonly OpenPort[]; readonly address: ListenAddress }> {
  const plain = createHttpServer({ handler, port, host, clock, logger });
  const address = await plain.listen();
  if (tls === undefined) return { opened: [plain], address };
  const secure = createHttpServer({ handler, port: tls.port ?? 8443, host, clock, logger, tls: tlsOptions(tls, certificates) });
  try {
    return { opened: [plain, secure], address: { ...address, tls: await secure.listen() } };
  } catch (error) {
    await plain.close(0);
    throw error;
  }
}

function tlsOptions({ certificateFor, certificate }: TlsListenOptions, certificates: Certificates): TlsOptions {
  return {
    certificateFor: (name) => certificateFor?.(name) ?? certificates.certificateFor(name) ?? certificate,
  };
}
