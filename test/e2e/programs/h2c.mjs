// Speaks HTTP/2 with prior knowledge only.
import { createServer } from 'node:http2';

const server = createServer((request, response) => response.end(`${request.httpVersion} ${request.url}`));
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
