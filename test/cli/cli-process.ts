import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** True once the package has been built: the CLI is tested as users run it. `npm test` builds first. */
export const isBuilt = existsSync(main);
export const notBuilt = 'dist is not built: run npm run build';

/** The CLI as a process, with what it has printed so far. */
export class CliProcess {
  readonly child: ChildProcess;
  output = '';
  readonly exit: Promise<number | null>;
  #waiting: (() => void)[] = [];

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => {
        this.output += text;
        for (const wake of this.#waiting.splice(0)) wake();
      });
    }
    this.exit = new Promise((resolve) => {
      this.child.on('close', (code) => {
        resolve(code);
        for (const wake of this.#waiting.splice(0)) wake();
      });
    });
  }

  /** Resolves with the match once the output has it; rejects with the output when the process ends first or time runs out. */
  async until(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (this.child.exitCode !== null || deadline.aborted)
        throw new Error(`no ${String(pattern)} in the output:\n${this.output}`);
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        deadline.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  async stop(): Promise<number | null> {
    if (this.child.exitCode === null) this.child.kill('SIGINT');
    return this.exit;
  }
}
