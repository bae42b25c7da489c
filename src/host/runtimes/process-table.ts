import { sleep, type Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';

/** What is remembered of a child on disk: enough to know it again, and nothing else. */
interface ProcessRecord {
  readonly pid: number;
  /** Start time as the system tells it; a process with this pid and another start time is somebody else's. */
  readonly startTime: string;
  readonly podName: string;
}

/** Children on record, so that a host that was killed finds what it left behind. */
export interface ProcessTable {
  add(pid: number, podName: string): void;
  remove(pid: number): void;
  /** Kills the process groups that an earlier host left behind, and waits until they have gone: their ports are needed. */
  reap(logger: Logger, clock: Clock): Promise<void>;
}

/** The table in `folder`: one small file per child. */
export function createProcessTable(folder: string): ProcessTable {
  const fs = process.getBuiltinModule('node:fs');
  fs.mkdirSync(folder, { recursive: true });
  const fileOf = (pid: number): string => `${folder}/${pid}.json`;
  return {
    add(pid, podName) {
      const startTime = startTimeOf(pid);
      if (startTime === undefined) return;
      const record: ProcessRecord = { pid, startTime, podName };
      // Written beside and renamed, so that a host killed half-way leaves no half of a record.
      fs.writeFileSync(`${fileOf(pid)}.new`, JSON.stringify(record));
      fs.renameSync(`${fileOf(pid)}.new`, fileOf(pid));
    },
    remove(pid) {
      fs.rmSync(fileOf(pid), { force: true });
    },
    async reap(logger, clock) {
      const reaped: number[] = [];
      for (const name of fs.readdirSync(folder)) {
        const path = `${folder}/${name}`;
        const record = name.endsWith('.json') ? readRecord(path) : undefined;
        if (record !== undefined && isOurs(record)) {
          killGroup(record.pid, 'SIGKILL');
          reaped.push(record.pid);
          logger.info({ pid: record.pid, pod: record.podName }, 'instance of an earlier host reaped');
        }
        try {
          fs.rmSync(path, { force: true });
        } catch (error) {
          logger.warn({ path, error: messageOf(error) }, 'process record cannot be removed');
        }
      }
      await Promise.all(reaped.map((pid) => whenGroupGone(pid, clock)));
    },
  };
}

/** Resolves when no process of a group that was killed is left; one that does not go (in uninterruptible sleep) is given up. */
export async function whenGroupGone(pid: number, clock: Clock): Promise<void> {
  for (let triesLeft = 100; triesLeft > 0 && groupAlive(pid); triesLeft--) await sleep(clock, 2);
}

function readRecord(path: string): ProcessRecord | undefined {
  try {
    const value: unknown = JSON.parse(process.getBuiltinModule('node:fs').readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, startTime, podName } = value as Partial<Record<keyof ProcessRecord, unknown>>;
    const isValid = typeof pid === 'number' && Number.isInteger(pid) && pid > 1;
    return isValid && typeof startTime === 'string' && typeof podName === 'string' ? { pid, startTime, podName } : undefined;
  } catch {
    // A record that cannot be read names no process for certain, so none is killed for it.
    return undefined;
  }
}

/**
 * True when the recorded process still runs; also when only its children are left: its number cannot be given away while the
 * group of that number exists, and a member carries the Pod's name in its environment.
 */
function isOurs(record: ProcessRecord): boolean {
  const startTime = startTimeOf(record.pid);
  if (startTime !== undefined) return startTime === record.startTime;
  return groupMembers(record.pid).some((pid) => environmentOf(pid).includes(`HOSTNAME=${record.podName}`));
}

/** Signals a whole process group; false when it is gone. */
export function killGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** True while any process of the group is left, zombies aside. */
function groupAlive(pid: number): boolean {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 0);
  } catch {
    return false;
  }
  // A zombie still answers signals; only /proc tells it from a live one.
  return process.platform !== 'linux' || groupMembers(pid).length > 0;
}

/** When a process began, in the system's own terms and unique together with the pid, or `undefined` when it does not run. */
export function startTimeOf(pid: number): string | undefined {
  const stat = readStat(pid);
  if (stat !== undefined) return stat.state === 'Z' ? undefined : `${bootId()}/${stat.startTicks}`;
  if (process.platform === 'linux') return undefined;
  const result = process
    .getBuiltinModule('node:child_process')
    .spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() || undefined : undefined;
}

interface Stat {
  readonly state: string;
  readonly groupId: number;
  readonly startTicks: string;
  readonly residentPages: number;
}

/** Fields of /proc/PID/stat; the program's name in parentheses may hold anything, so fields count from the last one. */
function readStat(pid: number): Stat | undefined {
  let text: string;
  try {
    text = process.getBuiltinModule('node:fs').readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = '', , groupId = ''] = fields;
  return { state, groupId: Number(groupId), startTicks: fields[19] ?? '', residentPages: Number(fields[21] ?? 0) };
}

function bootId(): string {
  try {
    return process.getBuiltinModule('node:fs').readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

function allStats(): { pid: number; stat: Stat }[] {
  let names: string[];
  try {
    names = process.getBuiltinModule('node:fs').readdirSync('/proc');
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const pid = Number(name);
    const stat = Number.isInteger(pid) && pid > 0 ? readStat(pid) : undefined;
    return stat === undefined || stat.state === 'Z' ? [] : [{ pid, stat }];
  });
}

function groupMembers(groupId: number): number[] {
  return allStats().flatMap(({ pid, stat }) => (stat.groupId === groupId ? [pid] : []));
}

function environmentOf(pid: number): string[] {
  try {
    return process.getBuiltinModule('node:fs').readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return [];
  }
}

const pageBytes = 4096;

/** Resident bytes of a process and everything that descends from it; 0 where the system does not tell. */
export function residentBytes(pid: number): number {
  let bytes = 0;
  const open = [pid];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    bytes += (readStat(next)?.residentPages ?? 0) * pageBytes;
    open.push(...childrenOf(next));
  }
  return bytes;
}

/** Looked up by the parent: going through all processes of a machine ten times a second would cost more than it protects. */
function childrenOf(pid: number): number[] {
  try {
    const text = process.getBuiltinModule('node:fs').readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
