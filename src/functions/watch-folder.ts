import type { FSWatcher } from 'node:fs';

/** Folders that are never watched. */
const ignored = /^(?:node_modules|\..*)$/;

/** A project has fewer; more would exhaust the system's watches. */
const foldersMax = 2_000;

/**
 * Calls `onChange` when a file below a folder changes. Every folder has a watch of its own, because Node's recursive watch loses
 * files that editors replace instead of writing them. node_modules and names that start with a dot are left out.
 */
export function watchFolder(root: string, onChange: () => void): Disposable {
  const fs = process.getBuiltinModule('node:fs');
  const { join } = process.getBuiltinModule('node:path');
  const watchers = new Map<string, FSWatcher>();

  const add = (folder: string): void => {
    if (watchers.has(folder) || watchers.size >= foldersMax) return;
    let names: string[];
    try {
      const watcher = fs.watch(folder, (kind, name) => {
        if (name !== null && ignored.test(name)) return;
        if (kind === 'rename' && name !== null) addIfFolder(join(folder, name));
        onChange();
      });
      // A folder that is removed takes its watch with it.
      watcher.on('error', () => remove(folder));
      watchers.set(folder, watcher);
      names = fs.readdirSync(folder);
    } catch {
      // It went away in between.
      return;
    }
    for (const name of names) if (!ignored.test(name)) addIfFolder(join(folder, name));
  };
  const addIfFolder = (path: string): void => {
    if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) add(path);
    else remove(path);
  };
  const remove = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  add(root);
  return {
    [Symbol.dispose]() {
      for (const folder of [...watchers.keys()]) remove(folder);
    },
  };
}
