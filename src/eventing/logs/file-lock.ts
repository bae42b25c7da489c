import { open, readFile, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { KnativeError } from '../../errors.ts';

const held = new Set<string>();

/** Keeps a second log, in this process or another one of this machine, from opening the folder. Throws EVENTING_LOG_LOCKED. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(resolve(folder), 'lock');
  if (held.has(path)) throw locked(folder, process.pid);
  held.add(path);
  try {
    for (;;) {
      const handle = await open(path, 'wx').catch((error: unknown) => {
        if (codeOf(error) === 'EEXIST') return undefined;
        throw error;
      });
      if (handle !== undefined) {
        await handle.writeFile(await identity(process.pid));
        await handle.close();
        break;
      }
      const owner = await readFile(path, 'utf8').catch(() => '');
      const pid = Number(owner.split(' ')[0]);
      if (pid > 0 && pid !== process.pid && (await identity(pid)) === owner) throw locked(folder, pid);
      // Its owner is gone (or this very process number was another process): take it over.
      await unlink(path).catch(() => undefined);
    }
  } catch (error) {
    held.delete(path);
    throw error;
  }
  return async () => {
    await unlink(path).catch(() => undefined);
    held.delete(path);
  };
}

/** A process by number and, where the system tells, time of its start: numbers are used again. Empty when there is no such process. */
async function identity(pid: number): Promise<string> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return '';
  }
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
  } catch {
    return `${pid}`;
  }
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function locked(folder: string, pid: number): KnativeError {
  return new KnativeError('EVENTING_LOG_LOCKED', `the folder ${folder} is in use by process ${pid}`, {
    path: folder,
    hint: 'one log has a folder for itself: end the other process or take another folder',
  });
}
