import { failure, settle, statusOutcome } from './probe-outcome.ts';
import type { NetworkProbe, ProbeOutcome } from './prober.ts';

/** GET over HTTP/2 with prior knowledge: for programs whose port is named h2c, or to find out. */
export function http2Probe(request: Extract<NetworkProbe, { kind: 'http' }>, signal: AbortSignal): Promise<ProbeOutcome> {
  const headers: Record<string, string> = {
    ':method': 'GET',
    ':path': request.path,
    ':authority': request.host ?? request.address,
  };
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    headers[(request.rawHeaders[i] ?? '').toLowerCase()] = request.rawHeaders[i + 1] ?? '';
  }
  const session = process.getBuiltinModule('node:http2').connect(`${request.scheme}://${request.address}`, {
    rejectUnauthorized: false,
  });
  return settle(signal, (resolve) => {
    session.on('error', (error) => resolve(failure(error)));
    // A peer that speaks something else may just hang up.
    session.on('close', () => resolve({ ok: false, message: 'the connection was closed without an answer' }));
    // Only then: a stream on a refused connection reports that it was cancelled, not why.
    session.once('connect', () => {
      const stream = session.request(headers);
      stream.on('error', (error) => resolve(failure(error)));
      stream.on('response', (answer) => resolve(statusOutcome(Number(answer[':status'] ?? 0))));
      stream.end();
    });
    return () => session.destroy();
  });
}

/**
 * `grpc.health.v1.Health/Check`. Success is the answer SERVING.
 * The messages are small enough to be written by hand: a text field 1 in the request, a number field 1 in the answer.
 */
export function grpcHealthProbe(address: string, service: string, signal: AbortSignal): Promise<ProbeOutcome> {
  const session = process.getBuiltinModule('node:http2').connect(`http://${address}`);
  return settle(signal, (resolve) => {
    session.on('error', (error) => resolve(failure(error)));
    session.once('connect', () => {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/grpc.health.v1.Health/Check',
        'content-type': 'application/grpc',
        te: 'trailers',
        'user-agent': 'kube-probe/1.34',
      });
      const chunks: Buffer[] = [];
      let grpcStatus: string | undefined;
      stream.on('error', (error) => resolve(failure(error)));
      stream.on('response', (head) => {
        grpcStatus = textOf(head['grpc-status']);
      });
      stream.on('trailers', (trailers) => {
        grpcStatus = textOf(trailers['grpc-status']) ?? grpcStatus;
      });
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => resolve(healthOutcome(grpcStatus, Buffer.concat(chunks))));
      stream.end(frame(service));
    });
    return () => session.destroy();
  });
}

const serving = 1;

function healthOutcome(grpcStatus: string | undefined, body: Buffer): ProbeOutcome {
  if (grpcStatus === '12')
    return { ok: false, message: 'this server does not implement the grpc health protocol (grpc.health.v1.Health)' };
  if (grpcStatus !== '0') return { ok: false, message: `health rpc failed with status ${grpcStatus ?? 'none'}` };
  // Five bytes of frame head, then field 1 as a number: tag 8 and the status; a status of 0 leaves the message empty.
  const status = body.length >= 7 && body[5] === 8 ? body[6] : 0;
  return status === serving ? { ok: true } : { ok: false, message: `service unhealthy (responded with status ${status})` };
}

function frame(service: string): Buffer {
  const name = Buffer.from(service);
  const length: number[] = [];
  for (let rest = name.length; name.length > 0; rest >>>= 7) {
    if (rest < 128) {
      length.push(rest);
      break;
    }
    length.push((rest & 127) | 128);
  }
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
