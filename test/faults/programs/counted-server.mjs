// Answers each request with its id and writes down that it has seen it: what comes twice shows, also when the program is killed.
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const id = String(request.headers['x-id']);
  appendFileSync(process.env.SEEN, `${id}\n`);
  request.resume();
  request.on('end', () =>
    setTimeout(() => response.writeHead(200, { 'x-pid': String(process.pid) }).end(id), Number(request.headers['x-work'])),
  );
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => server.close());
