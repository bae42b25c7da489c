// A gRPC echo server on $PORT with the standard health service, all in raw bytes.
import { Server, ServerCredentials } from '@grpc/grpc-js';

const identity = (value) => value;
const method = (path, requestStream, responseStream) => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
});
const server = new Server();
server.addService(
  { unary: method('/test.Echo/Unary', false, false), both: method('/test.Echo/Both', true, true) },
  {
    unary: (call, done) =>
      String(call.request) === 'fail'
        ? done({ code: 9, details: 'not today' })
        : done(null, Buffer.from(`${call.request} by ${process.env.K_REVISION}`)),
    both: (call) => {
      call.on('data', (part) => call.write(part));
      call.on('end', () => call.end());
    },
  },
);
// grpc.health.v1.HealthCheckResponse{status: SERVING}
server.addService(
  { check: method('/grpc.health.v1.Health/Check', false, false) },
  { check: (_, done) => done(null, Buffer.from([8, 1])) },
);
server.bindAsync(`127.0.0.1:${process.env.PORT}`, ServerCredentials.createInsecure(), () => undefined);
process.on('SIGTERM', () => server.tryShutdown(() => process.exit(0)));
