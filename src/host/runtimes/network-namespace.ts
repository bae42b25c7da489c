import type { Random } from '../../random.ts';

/** A network stack of its own, in which a program finds every port free. */
export interface NetworkNamespace {
  /** Where this machine reaches programs in it. */
  readonly address: string;
  /** Where programs in it reach this machine's servers that listen on all addresses. */
  readonly hostAddress: string;
  /** What a command line begins with to run in it. */
  readonly enter: readonly string[];
  close(): Promise<void>;
}

const prefix = 'kne-';
const stateFolder = '/run/netns';
const subnetsMax = 16_384;

let permitted: Promise<boolean> | undefined;
let refused = false;

/** Whether it is worth trying: root on Linux, and it has not failed yet. */
export function mayMakeNetworkNamespaces(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && !refused;
}

/** A new namespace, joined to this machine by a pair of virtual interfaces; `undefined` where this process may not make one. */
export async function createNetworkNamespace(random: Random): Promise<NetworkNamespace | undefined> {
  permitted ??= prepare();
  if (!(await permitted) || refused) return undefined;
  const subnet = freeSubnet(random);
  if (subnet === undefined) return undefined;
  const name = `${prefix}${process.pid.toString(36)}-${subnet.number.toString(36)}`;
  const { hostAddress, address } = subnet;
  const close = async (): Promise<void> => {
    await ip(['netns', 'del', name]);
  };
  const isMade =
    (await ip(['netns', 'add', name])) &&
    (await ip(
      ['-batch', '-'],
      [
        `link add ${name} type veth peer name eth0 netns ${name}`,
        `addr add ${hostAddress}/30 dev ${name}`,
        `link set ${name} up`,
      ],
    )) &&
    (await ip(
      ['-n', name, '-batch', '-'],
      [`addr add ${address}/30 dev eth0`, 'link set eth0 up', 'link set lo up', `route add default via ${hostAddress}`],
    ));
  if (!isMade) {
    await close();
    refused = true;
    return undefined;
  }
  return { address, hostAddress, enter: ['nsenter', `--net=${stateFolder}/${name}`, '--'], close };
}

/** What a host that has ended left behind is removed on the way. */
async function prepare(): Promise<boolean> {
  refused = !mayMakeNetworkNamespaces() || !(await ip(['netns', 'list']));
  if (refused) return false;
  const fs = process.getBuiltinModule('node:fs');
  for (const name of fs.existsSync(stateFolder) ? fs.readdirSync(stateFolder) : []) {
    const pid = name.startsWith(prefix) ? parseInt(name.slice(prefix.length), 36) : NaN;
    if (Number.isInteger(pid) && !fs.existsSync(`/proc/${pid}`)) await ip(['netns', 'del', name]);
  }
  return true;
}

/** Four addresses out of 10.231.0.0/16 that no interface of this machine has. */
function freeSubnet(random: Random): { number: number; hostAddress: string; address: string } | undefined {
  const interfaces = process.getBuiltinModule('node:os').networkInterfaces();
  const taken = new Set(Object.values(interfaces).flatMap((list) => (list ?? []).map(({ address }) => address)));
  for (let attempt = 0; attempt < 100; attempt++) {
    const number = Math.floor(random() * subnetsMax);
    const at = (offset: number): string => `10.231.${number >> 6}.${(number & 63) * 4 + offset}`;
    if (!taken.has(at(1))) return { number, hostAddress: at(1), address: at(2) };
  }
  return undefined;
}

/** Runs the system's `ip`, with `lines` as its input; false when it is absent or refuses. */
function ip(args: readonly string[], lines: readonly string[] = []): Promise<boolean> {
  const { spawn } = process.getBuiltinModule('node:child_process');
  return new Promise((resolve) => {
    const child = spawn('ip', [...args], { stdio: ['pipe', 'ignore', 'ignore'], timeout: 10_000 });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
    child.stdin.on('error', () => undefined);
    child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  });
}
