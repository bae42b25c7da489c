import { KnativeError } from '../../errors.ts';
import type { VolumeFile, VolumeSpec } from './runtime.ts';

/** The volumes of one instance, as folders. */
export interface Volumes {
  /** Folder of a volume, `undefined` when the instance has none of that name. */
  path(name: string): string | undefined;
  update(name: string, files: readonly VolumeFile[]): void;
  remove(): void;
}

/**
 * Makes the volumes under `folder`. Files are laid out as a kubelet does: a hidden folder per version, `..data` pointing to the
 * current one, and links through it, so that an update shows all files of the new version at once.
 */
export function createVolumes(folder: string, specs: readonly VolumeSpec[]): Volumes {
  const fs = process.getBuiltinModule('node:fs');
  const names = new Set(specs.map(({ name }) => name));
  const pathOf = (name: string): string => `${folder}/${name}`;
  const versions = new Map<string, number>();

  function write(name: string, files: readonly VolumeFile[]): void {
    const root = pathOf(name);
    for (const file of files) checkPath(name, file.path);
    const version = (versions.get(name) ?? 0) + 1;
    versions.set(name, version);
    const current = `..${version}`;
    fs.mkdirSync(`${root}/${current}`, { recursive: true, mode: 0o755 });
    const entries = new Set<string>();
    for (const file of files) {
      const [top = file.path] = file.path.split('/');
      entries.add(top);
      const path = `${root}/${current}/${file.path}`;
      if (file.path.includes('/')) fs.mkdirSync(path.slice(0, path.lastIndexOf('/')), { recursive: true });
      fs.writeFileSync(path, file.content);
      fs.chmodSync(path, file.mode ?? 0o644);
    }
    fs.symlinkSync(current, `${root}/..next`);
    fs.renameSync(`${root}/..next`, `${root}/..data`);
    for (const entry of entries) {
      if (!fs.existsSync(`${root}/${entry}`)) fs.symlinkSync(`..data/${entry}`, `${root}/${entry}`);
    }
    for (const entry of fs.readdirSync(root)) {
      const isStale = entry.startsWith('..') ? entry !== '..data' && entry !== current : !entries.has(entry);
      if (isStale) fs.rmSync(`${root}/${entry}`, { recursive: true, force: true });
    }
  }

  for (const spec of specs) {
    if (!/^[\w.-]+$/.test(spec.name) || spec.name.startsWith('.')) {
      throw new KnativeError('HOST_VOLUME_INVALID', `${JSON.stringify(spec.name)} is not a volume name`, { path: 'volumes' });
    }
    fs.mkdirSync(pathOf(spec.name), { recursive: true });
    // Programs may run as another user; an emptyDir is everybody's, as in a Pod.
    if (spec.files === undefined) fs.chmodSync(pathOf(spec.name), 0o777);
    else write(spec.name, spec.files);
  }
  return {
    path: (name) => (names.has(name) ? pathOf(name) : undefined),
    update(name, files) {
      if (!names.has(name)) throw new KnativeError('HOST_VOLUME_UNKNOWN', `the instance has no volume ${JSON.stringify(name)}`);
      write(name, files);
    },
    remove() {
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

function checkPath(volume: string, path: string): void {
  const parts = path.split('/');
  if (path === '' || parts.some((part) => part === '' || part === '.' || part === '..') || path.startsWith('..')) {
    throw new KnativeError('HOST_VOLUME_INVALID', `volume ${volume}: ${JSON.stringify(path)} is not a path inside of it`, {
      path: 'volumes',
    });
  }
}
