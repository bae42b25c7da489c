import { admit } from '../../host/admission/admit.ts';
import { installedEventingConfig } from '../../api/eventing/installed-config.ts';
import type { Command, CommandContext } from '../command.ts';
import { dialectNames, dialectOption } from '../dialect-option.ts';
import { findingsOf, findingText, sarifLog, type Finding } from '../findings.ts';
import { readManifests } from '../read-manifests.ts';

const formats = ['text', 'json', 'sarif'] as const;

export const command: Command = {
  name: 'validate',
  summary: 'Check manifests as Knative admits them, without applying anything',
  usage: 'validate FILES… [options]',
  help: `Reads FILES (manifests, folders of them, or - for standard input) as the host and upstream's webhooks do: YAML, dialect, unknown
fields, names, defaults, validation with upstream's messages. Prints file:line:column, severity, field path and message.

Options:
  --dialect NAME   platform whose manifests these are: ${dialectNames.join(', ')} (default: recognised)
  --format FORMAT  text, json (a list of findings) or sarif (2.1.0, for code hosts) (default text)
  --config FILE    config maps to admit under, such as config-features; may be given several times
  --strict         warnings fail too
  --verbose        also print what is kept without effect
  -h, --help       this text

Exit code: 0 when everything would be admitted, 1 when something would be refused, 2 for wrong usage.

Examples:
  knative-embed validate ./manifests
  kustomize build . | knative-embed validate - --format sarif > knative.sarif`,
  options: {
    dialect: { type: 'string' },
    format: { type: 'string' },
    config: { type: 'string', multiple: true },
    strict: { type: 'boolean' },
    verbose: { type: 'boolean' },
  },
  async run(context) {
    const format = context.options['format'] ?? 'text';
    if (context.positionals.length === 0 || !formats.some((known) => known === format)) {
      context.printError(
        context.positionals.length === 0
          ? 'knative-embed validate: name at least one file'
          : `knative-embed validate: --format is ${formats.join(', ')}, not ${String(format)}`,
      );
      return 2;
    }
    return validate(context, String(format));
  },
};

async function validate(context: CommandContext, format: string): Promise<number> {
  const dialect = dialectOption(context.options['dialect']);
  const config = await readConfigMaps(context);
  const files = await readManifests(context.positionals, context.stdin);
  const findings: Finding[] = [];
  let documents = 0;
  for (const { file, text } of files) {
    const admission = await admit(text, { ...(dialect === undefined ? {} : { dialect }), config });
    documents += admission.documents.length;
    findings.push(...findingsOf(file, admission));
  }
  const shown = findings.filter(({ severity }) => severity !== 'info' || context.options['verbose'] === true);
  print(context, format, shown);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.filter(({ severity }) => severity === 'warning').length;
  if (format === 'text') {
    const counts = `${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
    context.print(`${plural(documents, 'document')} in ${plural(files.length, 'file')}: ${counts}`);
  }
  return errors > 0 || (context.options['strict'] === true && warnings > 0) ? 1 : 0;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function print(context: CommandContext, format: string, findings: readonly Finding[]): void {
  if (format === 'json') context.print(JSON.stringify(findings, null, 2));
  else if (format === 'sarif') context.print(JSON.stringify(sarifLog(findings), null, 2));
  else for (const finding of findings) context.print(findingText(finding));
}

/** Config maps of the given files by name. */
async function readConfigMaps(context: CommandContext): Promise<(name: string) => Readonly<Record<string, string>> | undefined> {
  const given = context.options['config'];
  const paths = (Array.isArray(given) ? given : []).filter((path) => typeof path === 'string');
  const data = new Map<string, Readonly<Record<string, string>>>();
  for (const { text } of await readManifests(paths, context.stdin)) {
    const { documents } = await admit(text, { dialect: 'knative', namespace: 'knative-serving' });
    for (const { objects } of documents) {
      for (const { kind, resource } of objects) {
        if (kind.kind === 'ConfigMap') data.set(resource.metadata.name, dataOf(resource));
      }
    }
  }
  return (name) => data.get(name) ?? installedEventingConfig[name];
}

function dataOf(resource: object): Readonly<Record<string, string>> {
  return 'data' in resource && typeof resource.data === 'object' && resource.data !== null
    ? Object.fromEntries(Object.entries(resource.data).map(([key, value]) => [key, String(value)]))
    : {};
}
