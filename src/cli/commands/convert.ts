import { admit, type AdmittedDocument } from '../../host/admission/admit.ts';
import { installedEventingConfig } from '../../api/eventing/installed-config.ts';
import type { Command, CommandContext } from '../command.ts';
import { dialectNames, dialectOption } from '../dialect-option.ts';
import { findingsOf, findingText } from '../findings.ts';
import { readManifests } from '../read-manifests.ts';

export const command: Command = {
  name: 'convert',
  summary: "Turn another platform's manifests into plain Knative",
  usage: 'convert FILES… [options]',
  help: `Prints what FILES (manifests, folders of them, or - for standard input) become in plain Knative, with all defaults filled in. What
cannot be carried over is said on standard error with its place.

Options:
  --dialect NAME   platform whose manifests these are: ${dialectNames.join(', ')} (default: recognised)
  --format FORMAT  yaml or json (a List) (default yaml)
  --report         also say on standard error what each known setting was mapped to
  -h, --help       this text

Exit code: 0 when every document was read, 1 when one was refused, 2 for wrong usage.

Example:
  gcloud run services describe hello --format export | knative-embed convert - --dialect cloud-run`,
  options: { dialect: { type: 'string' }, format: { type: 'string' }, report: { type: 'boolean' } },
  async run(context) {
    const format = context.options['format'] ?? 'yaml';
    if (context.positionals.length === 0 || (format !== 'yaml' && format !== 'json')) {
      context.printError(
        context.positionals.length === 0
          ? 'knative-embed convert: name at least one file'
          : `knative-embed convert: --format is yaml or json, not ${String(format)}`,
      );
      return 2;
    }
    return convert(context, format);
  },
};

const config = (name: string): Readonly<Record<string, string>> | undefined => installedEventingConfig[name];

async function convert(context: CommandContext, format: 'yaml' | 'json'): Promise<number> {
  const dialect = dialectOption(context.options['dialect']);
  const converted: AdmittedDocument[] = [];
  let allowed = true;
  for (const { file, text } of await readManifests(context.positionals, context.stdin)) {
    const admission = await admit(text, { ...(dialect === undefined ? {} : { dialect }), namespace: '', config });
    allowed &&= admission.allowed;
    converted.push(...admission.documents);
    for (const finding of findingsOf(file, admission)) {
      if (finding.severity !== 'info') context.printError(findingText(finding));
    }
    if (context.options['report'] === true) reportMapped(context, file, admission.documents);
  }
  const resources = converted.flatMap(({ objects }) => objects.map(({ resource }) => resource));
  if (format === 'json') context.print(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: resources }, null, 2));
  else {
    const { stringify } = await import('yaml');
    context.print(resources.map((resource) => stringify(resource).trimEnd()).join('\n---\n'));
  }
  return allowed ? 0 : 1;
}

function reportMapped(context: CommandContext, file: string, documents: readonly AdmittedDocument[]): void {
  for (const { report } of documents) {
    for (const { level, path, message, position } of report) {
      if (level !== 'mapped') continue;
      const place = position === undefined ? file : `${file}:${position.line}:${position.column}`;
      context.printError(`${place}: mapped: ${path}: ${message}`);
    }
  }
}
