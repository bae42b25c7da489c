/** A control group that holds one child and limits its memory. */
export interface MemoryGroup {
  /** Whether the kernel has killed in it for want of memory. */
  killedForMemory(): boolean;
  remove(): void;
}

interface Hierarchy {
  /** Folder of this process's own group. */
  readonly folder: string;
  readonly limitFile: string;
  readonly killFile: string;
  readonly killPattern: RegExp;
}

/** Files of the two generations of Linux control groups. */
const generations = {
  v1: { limitFile: 'memory.limit_in_bytes', killFile: 'memory.oom_control', killPattern: /^oom_kill (\d+)$/m },
  v2: { limitFile: 'memory.max', killFile: 'memory.events', killPattern: /^oom_kill (\d+)$/m },
} as const;

let known: Hierarchy | 'none' | undefined;

/** Puts a process, and all that it will start, under a memory limit; `undefined` where this process may not. */
export function joinMemoryGroup(pid: number, limitBytes: number): MemoryGroup | undefined {
  known ??= findHierarchy() ?? 'none';
  if (known === 'none') return undefined;
  const { folder, limitFile, killFile, killPattern } = known;
  const fs = process.getBuiltinModule('node:fs');
  const path = `${folder}/knative-embed-${process.pid}-${pid}`;
  const remove = (): void => {
    try {
      fs.rmdirSync(path);
    } catch {
      // Still busy with a process that is on its way out: an empty group costs nothing and goes with its parent.
    }
  };
  try {
    fs.mkdirSync(path, { recursive: true });
    fs.writeFileSync(`${path}/${limitFile}`, String(limitBytes));
    fs.writeFileSync(`${path}/cgroup.procs`, String(pid));
  } catch (error) {
    remove();
    // The child has ended already.
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return undefined;
    // The first refusal tells: a mounted hierarchy that is read-only or whose memory is not delegated stays so.
    known = 'none';
    return undefined;
  }
  return {
    killedForMemory() {
      try {
        return Number(killPattern.exec(fs.readFileSync(`${path}/${killFile}`, 'utf8'))?.[1] ?? 0) > 0;
      } catch {
        return false;
      }
    },
    remove,
  };
}

function findHierarchy(): Hierarchy | undefined {
  if (process.platform !== 'linux') return undefined;
  const fs = process.getBuiltinModule('node:fs');
  let lines: string[];
  try {
    lines = fs.readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const pathOf = (controllers: string): string | undefined =>
    lines.find((line) => line.split(':')[1] === controllers)?.replace(/^\d+:[^:]*:/, '');
  const candidates = [
    { root: '/sys/fs/cgroup/memory', path: pathOf('memory'), ...generations.v1 },
    { root: '/sys/fs/cgroup', path: pathOf(''), ...generations.v2 },
  ];
  for (const { root, path, ...files } of candidates) {
    const folder = path === undefined ? undefined : [`${root}${path}`, root].find((at) => fs.existsSync(`${at}/cgroup.procs`));
    if (folder === undefined || !fs.existsSync(`${folder}/${files.limitFile}`)) continue;
    removeEmptyGroups(folder);
    return { folder, ...files };
  }
  return undefined;
}

/** Groups of a host that was killed; the system refuses to remove one that is in use. */
function removeEmptyGroups(folder: string): void {
  const fs = process.getBuiltinModule('node:fs');
  for (const name of fs.readdirSync(folder)) {
    if (!name.startsWith('knative-embed-')) continue;
    try {
      fs.rmdirSync(`${folder}/${name}`);
    } catch {
      // In use by another host of this machine.
    }
  }
}
