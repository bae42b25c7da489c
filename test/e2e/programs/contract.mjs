// Tells what it was started with: environment, arguments, folder, files.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const files = Object.keys(process.env)
  .filter((name) => name.startsWith('FILE_'))
  .map((name) => process.env[name]);
const server = createServer(async (request, response) => {
  if (request.url === '/sidecar') {
    response.end(await (await fetch(`http://127.0.0.1:${process.env.SIDECAR_PORT}/`)).text());
    return;
  }
  const read = Object.fromEntries(
    files.map((path) => [path.split('/').at(-1), existsSync(path) ? readFileSync(path, 'utf8') : null]),
  );
  response.end(
    JSON.stringify({
      pid: process.pid,
      env: process.env,
      argv: process.argv.slice(2),
      cwd: process.cwd(),
      uid: process.getuid(),
      files: read,
    }),
  );
});
server.listen(Number(process.env.FIXED_PORT ?? process.env.PORT), process.env.FIXED_PORT === undefined ? '127.0.0.1' : '0.0.0.0');
process.on('SIGTERM', () => process.exit(0));
