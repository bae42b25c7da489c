import { KnativeError } from '../errors.ts';
import { isJsonObject } from '../json.ts';
import { readDocuments } from './admission/yaml-documents.ts';
import type { FolderDocument, FolderProblem } from './manifest-folder.ts';

/** Splits a manifest file into documents. One that is not YAML is a problem of its own; the others still count. */
export async function readFolderDocuments(
  file: string,
  text: string,
): Promise<{ readonly documents: readonly FolderDocument[]; readonly problems: readonly FolderProblem[] }> {
  const documents: FolderDocument[] = [];
  const problems: FolderProblem[] = [];
  for (const { value, error, locate } of await readDocuments(text)) {
    if (error !== undefined) {
      const { line, column } = error.position;
      problems.push({ file, message: `${file}:${line}:${column}: not valid YAML: ${error.message}` });
    } else documents.push({ file, locate, identity: identityOf(value), content: value, fingerprint: JSON.stringify(value) });
  }
  return { documents, problems };
}

/** `kind namespace/name`, with what every object has at least; it also names what is not an object. */
function identityOf(content: unknown): string {
  if (!isJsonObject(content)) return 'document';
  const metadata = isJsonObject(content['metadata']) ? content['metadata'] : {};
  const namespace = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : 'default';
  return `${String(content['kind'] ?? 'object')} ${namespace}/${String(metadata['name'] ?? '(no name)')}`;
}

/** Settings of a manifest folder (`knative-embed.yaml`), which is no manifest itself. */
export interface FolderSettings {
  readonly images: Readonly<Record<string, unknown>>;
  readonly domain?: string;
  readonly dialect?: string;
  readonly allowManifestCommands?: boolean;
}

export const settingsFileName = 'knative-embed.yaml';
const settingNames = ['images', 'domain', 'dialect', 'allowManifestCommands'];

/** Reads the settings file; throws HOST_SETTINGS_INVALID, naming the field. */
export async function readSettings(text: string): Promise<FolderSettings> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(text) ?? {};
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
    throw new KnativeError('HOST_SETTINGS_INVALID', `${settingsFileName} is not valid YAML: ${reason}`, { cause: error });
  }
  const invalid = (path: string, message: string, hint: string): KnativeError =>
    new KnativeError('HOST_SETTINGS_INVALID', `${settingsFileName}: ${message}`, { path, hint });
  if (!isJsonObject(value)) throw invalid('', 'must be a map', 'begin with `images:`');
  const unknown = Object.keys(value).find((name) => !settingNames.includes(name));
  if (unknown !== undefined)
    throw invalid(unknown, `unknown setting ${JSON.stringify(unknown)}`, `known settings are ${settingNames.join(', ')}`);
  const { images = {}, domain, dialect, allowManifestCommands } = value;
  if (!isJsonObject(images))
    throw invalid('images', 'images must be a map', 'map each image to a function module or to { command: […] }');
  if (domain !== undefined && typeof domain !== 'string')
    throw invalid('domain', 'domain must be a text', 'such as `domain: localhost`');
  if (dialect !== undefined && typeof dialect !== 'string')
    throw invalid('dialect', 'dialect must be a text', 'such as `dialect: cloud-run`');
  if (allowManifestCommands !== undefined && typeof allowManifestCommands !== 'boolean') {
    throw invalid('allowManifestCommands', 'allowManifestCommands must be true or false', 'leave it out for false');
  }
  return {
    images,
    ...(domain === undefined ? {} : { domain }),
    ...(dialect === undefined ? {} : { dialect }),
    ...(allowManifestCommands === undefined ? {} : { allowManifestCommands }),
  };
}
