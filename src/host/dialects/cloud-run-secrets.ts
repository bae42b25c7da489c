import { mapped, type ReportLine } from './dialect.ts';
import { asObject, listAt, objectAt, textAt, type JsonObject } from './json-path.ts';

/** Secrets of a Cloud Run service, read with its meanings. */
export interface CloudRunSecrets {
  /** The document with aliases replaced by the names of the secrets. */
  readonly document: JsonObject;
  /** `name@version`, or `project/name@version` for a secret of another project. */
  readonly needed: readonly string[];
  readonly report: readonly ReportLine[];
  /** Names that stand for secrets of other projects. */
  readonly aliases: readonly string[];
}

/**
 * On Cloud Run the `key` of a secret reference is a version, not a data key, and names may be aliases
 * (`run.googleapis.com/secrets: alias:projects/P/secrets/NAME,…`). Here a Secret of that name has one data key per version, `latest`
 * among them.
 */
export function readSecrets(document: JsonObject): CloudRunSecrets {
  const aliases = readAliases(document);
  const needed: string[] = [];
  const report: ReportLine[] = [];
  const resolve = (name: string): { readonly name: string; readonly label: string } => {
    const target = aliases.get(name);
    return target === undefined ? { name, label: name } : { name: target.name, label: `${target.project}/${target.name}` };
  };
  const template = objectAt(document, 'spec', 'template');
  const spec = objectAt(template, 'spec');
  const containers = listAt(spec, 'containers').map((container, index) =>
    mapEnv(container, (reference, at) => {
      const { name, label } = resolve(textAt(reference, 'name') ?? '');
      const version = String(reference['key'] ?? 'latest');
      needed.push(`${label}@${version}`);
      const path = `spec.template.spec.containers[${index}].env[${at}].valueFrom.secretKeyRef`;
      report.push(mapped(path, `secret ${label}, ${versionText(version)}: here key is a version, not a data key`));
      return { ...reference, name };
    }),
  );
  const volumes = listAt(spec, 'volumes').map((volume) => {
    const secret = objectAt(volume, 'secret');
    if (secret === undefined) return volume;
    const { name, label } = resolve(textAt(secret, 'secretName') ?? '');
    const versions = listAt(secret, 'items').map((item) => String(textAt(item, 'key') ?? 'latest'));
    for (const version of versions.length === 0 ? ['latest'] : versions) needed.push(`${label}@${version}`);
    return { ...asObject(volume), secret: { ...secret, secretName: name } };
  });
  const names = [...aliases.keys()];
  if (needed.length === 0) return { document, needed, report, aliases: names };
  const changed: JsonObject = { ...spec, containers };
  if (volumes.length > 0) changed['volumes'] = volumes;
  return {
    document: { ...document, spec: { ...objectAt(document, 'spec'), template: { ...template, spec: changed } } },
    needed: [...new Set(needed)],
    report,
    aliases: names,
  };
}

const versionText = (version: string): string => (version === 'latest' ? 'newest version' : `version ${version}`);

function mapEnv(container: unknown, change: (reference: JsonObject, index: number) => JsonObject): unknown {
  const env = listAt(container, 'env');
  if (env.length === 0) return container;
  const changed = env.map((variable, index) => {
    const reference = objectAt(variable, 'valueFrom', 'secretKeyRef');
    if (reference === undefined) return variable;
    return {
      ...asObject(variable),
      valueFrom: { ...objectAt(variable, 'valueFrom'), secretKeyRef: change(reference, index) },
    };
  });
  return { ...asObject(container), env: changed };
}

function readAliases(document: JsonObject): ReadonlyMap<string, { readonly project: string; readonly name: string }> {
  const text = textAt(document, 'spec', 'template', 'metadata', 'annotations', 'run.googleapis.com/secrets') ?? '';
  const aliases = new Map<string, { project: string; name: string }>();
  for (const entry of text.split(',')) {
    const match = /^\s*([^:]+):projects\/([^/]+)\/secrets\/([^/\s]+)\s*$/.exec(entry);
    if (match?.[1] !== undefined && match[2] !== undefined && match[3] !== undefined) {
      aliases.set(match[1], { project: match[2], name: match[3] });
    }
  }
  return aliases;
}
