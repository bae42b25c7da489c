// The same as counted-server.mjs as a function; `/end` ends its worker thread with whatever it has under way.
import { appendFileSync } from 'node:fs';

export async function handle(context) {
  if (context.path === '/end') process.exit(1);
  const id = context.headers['x-id'];
  appendFileSync(context.env.SEEN, `${id}\n`);
  await new Promise((resolve) => setTimeout(resolve, Number(context.headers['x-work'])));
  return id;
}
