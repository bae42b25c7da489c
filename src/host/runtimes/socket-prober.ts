import { createMemoryNetwork } from '../../http/memory-network.ts';
import type { Handler } from '../../http/exchange.ts';
import { grpcHealthProbe, http2Probe } from './http2-probe.ts';
import { failure, settle, statusOutcome } from './probe-outcome.ts';
import { standardHeaders, type NetworkProbe, type ProbeOutcome, type Prober } from './prober.ts';

type HttpProbe = Extract<NetworkProbe, { kind: 'http' }>;

const redirectsMax = 10;

/** Probes over sockets; a function in this process is called directly, so that the same probes run on virtual time. */
export function createSocketProber(): Prober {
  return {
    async probe(request, signal) {
      const handler = request.target?.handler;
      // Whoever said that it accepts connections need not be asked by opening one.
      if (request.kind === 'tcp') return request.target?.accepting === true ? { ok: true } : tcpProbe(request.address, signal);
      if (request.kind === 'grpc') {
        if (handler !== undefined) return { ok: false, message: 'a function in process does not speak gRPC' };
        return grpcHealthProbe(request.address, request.service, signal);
      }
      if (handler !== undefined) return handlerProbe(handler, request, signal);
      if (request.http2 === 'detect') return detectingProbe(request, signal);
      return request.http2 ? http2Probe(request, signal) : httpProbe(request, request.path, signal);
    },
  };
}

/**
 * One request by HTTP/2 in the clear and, unless that went well, one by HTTP/1.1, both without the probe's own headers. A program
 * that speaks HTTP/2 is then probed by it. The result is not remembered: programs may change their mind while they start.
 */
async function detectingProbe(request: HttpProbe, signal: AbortSignal): Promise<ProbeOutcome> {
  const plain: HttpProbe = { ...request, rawHeaders: standardHeaders, host: undefined };
  const trial = await http2Probe(plain, signal);
  if (trial.ok) return http2Probe(request, signal);
  return trial.refused === true ? trial : httpProbe(plain, plain.path, signal);
}

function tcpProbe(address: string, signal: AbortSignal): Promise<ProbeOutcome> {
  const { host, port } = splitAddress(address);
  const socket = process.getBuiltinModule('node:net').connect({ host, port });
  return settle(signal, (resolve) => {
    socket.once('connect', () => resolve({ ok: true }));
    socket.once('error', (error) => resolve(failure(error)));
    return () => socket.destroy();
  });
}

async function httpProbe(
  request: HttpProbe,
  path: string,
  signal: AbortSignal,
  redirect: { readonly referer: string; readonly count: number } = { referer: '', count: 0 },
): Promise<ProbeOutcome> {
  let location: string | undefined;
  const base = `${request.scheme}://${request.host ?? request.address}`;
  const outcome = await settle(signal, (resolve) => {
    const { host, port } = splitAddress(request.address);
    const referer = redirect.referer === '' ? [] : ['Referer', redirect.referer];
    const options = {
      host,
      port,
      path,
      agent: false,
      headers: ['Host', request.host ?? request.address, ...request.rawHeaders, ...referer, 'Connection', 'close'],
      // A certificate made for a service's name cannot fit a loopback address; kubelets do not check it either.
      rejectUnauthorized: false,
    };
    const client =
      request.scheme === 'https'
        ? process.getBuiltinModule('node:https').get(options)
        : process.getBuiltinModule('node:http').get(options);
    client.once('response', (response) => {
      const status = response.statusCode ?? 0;
      location = status >= 300 && status < 400 ? response.headers.location : undefined;
      resolve(statusOutcome(status));
    });
    // An error after the answer (the connection is cut below) must not surface.
    client.on('error', (error) => resolve(failure(error)));
    return () => client.destroy();
  });
  if (location === undefined) return outcome;
  const next = URL.parse(location, `${base}${path}`);
  // A redirect to another host says that the program is up; it is not followed.
  if (next === null || next.origin !== new URL(base).origin) return outcome;
  const count = redirect.count + 1;
  if (count === redirectsMax) return { ok: false, message: `stopped after ${redirectsMax} redirects` };
  return httpProbe(request, `${next.pathname}${next.search}`, signal, { referer: `${base}${path}`, count });
}

async function handlerProbe(handler: Handler, request: HttpProbe, signal: AbortSignal): Promise<ProbeOutcome> {
  const network = createMemoryNetwork({ fallback: handler });
  const host = request.host ?? request.address;
  try {
    const response = await network.client.request({
      method: 'GET',
      url: `http://${request.address}${request.path}`,
      rawHeaders: ['host', host, ...request.rawHeaders],
      signal,
    });
    return statusOutcome(response.status);
  } catch (error) {
    return failure(error);
  } finally {
    await network.client.close();
  }
}

export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
