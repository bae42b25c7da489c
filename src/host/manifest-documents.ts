import { KnativeError } from '../errors.ts';
import { isJsonObject } from '../json.ts';
import type { FolderDocument, FolderProblem } from './manifest-folder.ts';

/** Splits a manifest file into documents with their lines. A document that is not YAML is a problem of its own; the others still count. */
export async function readDocuments(
  file: string,
  text: string,
): Promise<{ readonly documents: readonly FolderDocument[]; readonly problems: readonly FolderProblem[] }> {
  const { LineCounter, parseAllDocuments } = await import('yaml');
  const lines = new LineCounter();
  const documents: FolderDocument[] = [];
  const problems: FolderProblem[] = [];
  parseAllDocuments(text, { lineCounter: lines }).forEach((document, index) => {
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0]);
      problems.push({ file, message: `${file}:${line}:${col}: not valid YAML: ${firstLine(error.message)}` });
      return;
    }
    const content: unknown = document.toJS({ maxAliasCount: 1_000 });
    if (content === null || content === undefined) return;
    const start = document.contents?.range?.[0] ?? 0;
    documents.push({
      file,
      index,
      line: lines.linePos(start).line,
      identity: identityOf(content),
      content,
      fingerprint: JSON.stringify(content),
    });
  });
  return { documents, problems };
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
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
    throw new KnativeError('HOST_SETTINGS_INVALID', `${settingsFileName} is not valid YAML: ${firstLine(String(error))}`, {
      cause: error,
    });
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
