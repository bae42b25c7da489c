import type { Kind } from '../kind.ts';
import { object, present, string, type TypeOf } from '../schema.ts';
import { resourceFields, statusFields } from '../core/metadata.ts';
import { revisionTemplateSpec } from './revision.ts';
import { indexedByRoute } from './route-index.ts';
import { defaultConfiguration, validateConfiguration, warnTemplateOf } from './service-admission.ts';

export const configurationSpecFields = { template: present(revisionTemplateSpec) };
export const configurationStatusFields = { latestReadyRevisionName: string, latestCreatedRevisionName: string };

const configurationSchema = object({
  ...resourceFields,
  spec: present(object(configurationSpecFields)),
  status: object({ ...statusFields, ...configurationStatusFields }),
});
/** The wanted state of the next Revision; every change of the template makes a new one. */
export type Configuration = TypeOf<typeof configurationSchema>;
export type ConfigurationStatus = NonNullable<Configuration['status']>;

export const configurations: Kind<Configuration> = {
  group: 'serving.knative.dev',
  version: 'v1',
  kind: 'Configuration',
  plural: 'configurations',
  singular: 'configuration',
  shortNames: ['config', 'cfg'],
  namespaced: true,
  schema: configurationSchema,
  statusSubresource: true,
  indexed: indexedByRoute,
  defaults: defaultConfiguration,
  validate: validateConfiguration,
  warnings: warnTemplateOf,
};
