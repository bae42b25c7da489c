// A program as users write them: HTTP, server-sent events and a WebSocket echo on $PORT; misbehaves on demand.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const state = { healthy: true, live: true, inFlight: 0 };
const routes = {
  '/healthz': (_, response) => response.writeHead(state.healthy ? 200 : 503).end(),
  '/livez': (_, response) => response.writeHead(state.live ? 200 : 503).end(),
  '/sicken': (_, response) => {
    state.healthy = false;
    response.end('sick');
  },
  '/stop-living': (_, response) => {
    state.live = false;
    response.end('not for long');
  },
  '/crash': () => process.kill(process.pid, 'SIGKILL'),
  '/headers': (request, response) => response.end(JSON.stringify(request.headers)),
  '/events': (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let count = 0;
    const timer = setInterval(() => {
      response.write(`data: ${++count}\n\n`);
      if (count < 3) return;
      clearInterval(timer);
      response.end();
    }, 50);
  },
  '/slow': (_, response) => setTimeout(() => response.end(`slow ${process.pid}`), 700),
};

const server = createServer((request, response) => {
  const route = routes[request.url ?? ''];
  if (route !== undefined) route(request, response);
  else response.end(JSON.stringify({ pid: process.pid, revision: process.env.K_REVISION, version: request.httpVersion }));
});
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
setTimeout(() => server.listen(Number(process.env.PORT), '127.0.0.1'), Number(process.env.START_DELAY_MS ?? 0));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
