import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KnativeError } from '../errors.ts';

/** One file of manifests; `-` stands for standard input. */
export interface ManifestFile {
  readonly file: string;
  readonly text: string;
}

const manifestPattern = /\.(ya?ml|json)$/;

/**
 * Reads the named files and, of folders, every `*.yaml`, `*.yml` and `*.json` below them in order of name. Throws
 * `CLI_FILE_UNREADABLE`.
 */
export async function readManifests(paths: readonly string[], stdin: NodeJS.ReadableStream): Promise<readonly ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const path of paths) {
    if (path === '-') files.push({ file: '-', text: await readAll(stdin) });
    else for (const file of await filesOf(path)) files.push({ file, text: await readFile(file, 'utf8') });
  }
  return files;
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function filesOf(path: string): Promise<readonly string[]> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    throw new KnativeError('CLI_FILE_UNREADABLE', `cannot read ${path}`, { cause: error, path });
  }
  if (!isFolder) return [path];
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && manifestPattern.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
