#!/usr/bin/env node
import { runCli } from './run-cli.ts';

const aborter = new AbortController();
let interrupts = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    interrupts++;
    // The second Ctrl-C means it: work in flight is given up.
    if (interrupts > 1) process.exit(130);
    aborter.abort(new Error(name));
  });
}

// Timers of the library never keep a process alive, so a command that waits for one has to.
const alive = setInterval(() => undefined, 0x7fffffff);
process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  print: (line) => void process.stdout.write(`${line}\n`),
  printError: (line) => void process.stderr.write(`${line}\n`),
  isTty: process.stdout.isTTY === true,
  signal: aborter.signal,
});
clearInterval(alive);
