// Children under test and their CPU time.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Peer {
  readonly port: number;
  /** User and system time so far, microseconds (Linux; resolution 10 ms). */
  cpuUs(): number;
  rssBytes(): number;
  stop(): void;
}

export const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export async function startNode(name: string, ...args: string[]): Promise<Peer> {
  return start(process.execPath, ['--disable-warning=ExperimentalWarning', script(name), ...args]);
}

export async function start(command: string, args: readonly string[]): Promise<Peer> {
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => child.kill('SIGKILL'));
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) {
    return {
      port: Number(line),
      cpuUs() {
        const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        return (Number(fields[11]) + Number(fields[12])) * 10_000;
      },
      rssBytes: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
      stop: () => void child.kill('SIGKILL'),
    };
  }
  throw new Error(`${command} ended before it was ready`);
}

/** The Go peer, built once; `undefined` without a Go toolchain. */
export function buildGo(): string | undefined {
  const out = `${process.env['TMPDIR'] ?? '/tmp'}/knative-embed-bench-reverse-proxy`;
  const built = spawnSync('go', ['build', '-o', out, script('reverse-proxy.go')], {
    stdio: 'ignore',
    env: { ...process.env, GO111MODULE: 'off' },
  });
  return built.status === 0 ? out : undefined;
}
