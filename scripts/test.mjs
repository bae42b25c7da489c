// `npm test`: asserts the Node version, then type check, lint, build, package checks and every test. Extra arguments go to vitest alone.
import { spawnSync } from 'node:child_process';

const major = Number(process.versions.node.split('.')[0]);
console.log(`node ${process.versions.node}`);
if (major !== 24) {
  console.error(
    `expected Node 24 from node_modules/.bin, got ${process.versions.node}: run "npm ci" with install scripts allowed for "node"`,
  );
  process.exit(1);
}

const run = (command, args) => {
  const { status, signal } = spawnSync(command, args, { stdio: 'inherit', shell: false });
  if (status !== 0) {
    console.error(`${command} ${args.join(' ')} failed${signal ? ` (${signal})` : ''}`);
    process.exit(status ?? 1);
  }
};

const extra = process.argv.slice(2);
if (extra.length === 0) {
  run('npm', ['run', '--silent', 'typecheck']);
  run('npm', ['run', '--silent', 'lint']);
  run('npm', ['run', '--silent', 'build']);
  run('npm', ['run', '--silent', 'check:package']);
}
run('vitest', ['run', '--reporter=default', '--reporter=./scripts/count-reporter.mjs', ...extra]);
