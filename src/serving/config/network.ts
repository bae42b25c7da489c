import { executeGoTemplate, parseGoTemplate, TemplateError } from '../../api/go-template.ts';
import { parseNetworkConfig, type NetworkConfig as ParsedConfig } from '../../api/networking/config-network.ts';
import { configOrDefault, parsedConfig, type ConfigData } from './read.ts';

/** What a name is made of. */
export type NameValues = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** Makes a name; throws the `TemplateError` of values that the template cannot deal with. */
export type NameTemplate = (values: NameValues) => string;

/** `config-network` with its templates compiled. */
export interface NetworkConfig extends Omit<ParsedConfig, 'domainTemplate' | 'tagTemplate'> {
  readonly domainTemplate: NameTemplate;
  readonly tagTemplate: NameTemplate;
}

export const networkConfig = parsedConfig('config-network', makeNetworkConfig);

export function makeNetworkConfig(data: ConfigData): NetworkConfig {
  const config = configOrDefault(parseNetworkConfig, data);
  return {
    ...config,
    domainTemplate: templateOf('domain-template', 'config.DomainTemplateValues', config.domainTemplate),
    tagTemplate: templateOf('tag-template', 'config.TagTemplateValues', config.tagTemplate),
  };
}

/** The defaults need no interpreter: names are made on a hot path. */
const defaultTemplates: Readonly<Record<string, NameTemplate>> = {
  '{{.Name}}.{{.Namespace}}.{{.Domain}}': ({ Name, Namespace, Domain }) =>
    `${String(Name)}.${String(Namespace)}.${String(Domain)}`,
  '{{.Tag}}-{{.Name}}': ({ Name, Tag }) => `${String(Tag)}-${String(Name)}`,
};

function templateOf(name: string, type: string, source: string): NameTemplate {
  const known = defaultTemplates[source];
  if (known !== undefined) return known;
  try {
    const template = parseGoTemplate(name, source);
    return (fields) => executeGoTemplate(template, { type, fields });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    // Admission refuses such a config map; should one get here all the same, every name that needs it fails.
    return () => {
      throw error;
    };
  }
}
