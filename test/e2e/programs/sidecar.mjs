// A second container of the same instance, found by its port on localhost.
import { createServer } from 'node:http';

createServer((_, response) => response.end('beside')).listen(Number(process.env.SIDECAR_PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
