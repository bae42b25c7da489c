import { KnativeError } from '../errors.ts';

/** The module to load, and what its surroundings say. */
export interface Project {
  /** Absolute path of the module. */
  readonly file: string;
  /** Folder of the nearest package.json or func.yaml; the file's own folder when there is none. */
  readonly folder: string;
  /** True when it was written for faas-js-runtime: it depends on it, or has a func.yaml. */
  readonly isFaas: boolean;
  /** True when it depends on @google-cloud/functions-framework. */
  readonly isFramework: boolean;
}

const extensions = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'];
const entryNames = ['build/index', 'dist/index', 'index', 'function', 'src/index'];

/** Finds the module that a path means: the file itself, with an extension added, or the entry of a folder. */
export function findProject(path: string): Project {
  const fs = process.getBuiltinModule('node:fs');
  const { resolve, join, dirname } = process.getBuiltinModule('node:path');
  const absolute = resolve(path);
  const isFile = (candidate: string): boolean => fs.statSync(candidate, { throwIfNoEntry: false })?.isFile() === true;
  const isFolder = fs.statSync(absolute, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFile(absolute)
    ? absolute
    : isFolder
      ? entryOf(absolute, isFile, join)
      : extensions.map((extension) => `${absolute}${extension}`).find(isFile);
  if (file === undefined) {
    throw new KnativeError('FUNCTIONS_NO_MODULE', `there is no function at ${path}`, {
      path,
      hint: isFolder
        ? 'the folder needs a `main` in package.json, or build/index.js, index.js, function.js or their TypeScript forms'
        : 'give a module file or the folder of a project',
    });
  }
  const folder = projectFolder(dirname(file), isFile, join, dirname);
  const manifest = readManifest(join(folder, 'package.json'));
  return {
    file,
    folder,
    isFaas: dependsOn(manifest, 'faas-js-runtime') || isFile(join(folder, 'func.yaml')),
    isFramework: dependsOn(manifest, '@google-cloud/functions-framework'),
  };
}

type Manifest = Readonly<Record<string, unknown>>;

function entryOf(folder: string, isFile: (path: string) => boolean, join: (...parts: string[]) => string): string | undefined {
  const { main } = readManifest(join(folder, 'package.json'));
  const names = typeof main === 'string' ? [join(folder, main)] : [];
  names.push(...entryNames.map((name) => join(folder, name)));
  for (const name of names) {
    const found = [name, ...extensions.map((extension) => `${name}${extension}`)].find(isFile);
    if (found !== undefined) return found;
  }
  return undefined;
}

function projectFolder(
  start: string,
  isFile: (path: string) => boolean,
  join: (...parts: string[]) => string,
  dirname: (path: string) => string,
): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (isFile(join(folder, 'package.json')) || isFile(join(folder, 'func.yaml'))) return folder;
    if (dirname(folder) === folder) return start;
  }
}

// A package.json that cannot be read says nothing: Node itself reports it when it imports the module.
function readManifest(file: string): Manifest {
  const { readFileSync } = process.getBuiltinModule('node:fs');
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof manifest === 'object' && manifest !== null ? (manifest as Manifest) : {};
  } catch {
    return {};
  }
}

// What a project runs with, not what it tests with: a development dependency does not make its functions another runtime's.
function dependsOn(manifest: Manifest, name: string): boolean {
  const list = manifest['dependencies'];
  return typeof list === 'object' && list !== null && Object.hasOwn(list, name);
}
