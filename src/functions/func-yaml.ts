import { KnativeError, messageOf } from '../errors.ts';

/** The settings of func.yaml that matter when a function runs; others are for the platform. */
export interface FuncYaml {
  readonly name?: string;
  readonly logLevel?: string;
  readonly port?: number;
  readonly bodyLimit?: number;
  readonly includeRaw?: boolean;
  /** `run.envs`: variables with literal values. Values that name secrets or config maps are left to the platform. */
  readonly envs: Readonly<Record<string, string>>;
  /** `invoke`: how `send` talks to it, `http` or `cloudevent`. */
  readonly invoke?: string;
}

/** Reads func.yaml at a path, a file or a folder; `undefined` when there is none. A file that is no YAML mapping is an error. */
export async function readFuncYaml(
  path: string,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<FuncYaml | undefined> {
  const fs = process.getBuiltinModule('node:fs');
  const { join } = process.getBuiltinModule('node:path');
  const isFolder = fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? join(path, 'func.yaml') : path;
  if (fs.statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const { parse } = await import('yaml');
  let document: unknown;
  try {
    document = parse(fs.readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new KnativeError('FUNCTIONS_FUNC_YAML_INVALID', `${file}: ${messageOf(cause)}`, { path: file, cause });
  }
  if (document === null) return { envs: {} };
  if (!isRecord(document)) throw new KnativeError('FUNCTIONS_FUNC_YAML_INVALID', `${file} is no mapping`, { path: file });
  return {
    ...textField(document, 'name'),
    ...textField(document, 'logLevel'),
    ...textField(document, 'invoke'),
    ...numberField(document, 'port'),
    ...numberField(document, 'bodyLimit'),
    ...(document['includeRaw'] === undefined ? {} : { includeRaw: Boolean(document['includeRaw']) }),
    envs: envsOf(document['run'], env),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textField<Name extends string>(document: Fields, name: Name): { [Key in Name]?: string } {
  const value = document[name];
  return typeof value === 'string' ? ({ [name]: value } as { [Key in Name]?: string }) : {};
}

function numberField<Name extends string>(document: Fields, name: Name): { [Key in Name]?: number } {
  const value = Number(document[name]);
  return document[name] !== undefined && Number.isInteger(value) && value >= 0
    ? ({ [name]: value } as { [Key in Name]?: number })
    : {};
}

// `{{ env:NAME }}` takes the caller's variable, as func does when it runs a function locally.
function envsOf(run: unknown, env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const envs: Record<string, string> = {};
  if (!isRecord(run) || !Array.isArray(run['envs'])) return envs;
  for (const entry of run['envs']) {
    if (!isRecord(entry) || typeof entry['name'] !== 'string' || entry['value'] === undefined) continue;
    const value = String(entry['value']);
    const reference = /^\{\{\s*(env|secret|configMap):([^:}\s]+)[^}]*\}\}$/.exec(value);
    if (reference === null) envs[entry['name']] = value;
    else if (reference[1] === 'env' && reference[2] !== undefined) envs[entry['name']] = env[reference[2]] ?? '';
  }
  return envs;
}
