import { indexedByRoute } from './route-index.ts';
import type { Kind } from '../kind.ts';
import { array, describe, int32, int64, object, present, string, type TypeOf } from '../schema.ts';
import { resourceFields, statusFields, templateMeta } from '../core/metadata.ts';
import { podSpecFields } from '../core/pod-spec.ts';
import { defaultRevision } from './revision-defaults.ts';
import { validateRevision, warnRevision } from './revision-validation.ts';

export const revisionSpec = object({
  ...podSpecFields,
  containerConcurrency: describe(int64, 'requests that one instance gets at the same time; 0, the default, means no limit'),
  timeoutSeconds: describe(int64, 'seconds that a request may take; default 300'),
  responseStartTimeoutSeconds: describe(int64, 'seconds until the response must start; default: timeoutSeconds'),
  idleTimeoutSeconds: describe(int64, 'seconds without a byte after which a request ends; default: none'),
});
export type RevisionSpec = TypeOf<typeof revisionSpec>;

/** The template that each new Revision is made from. */
export const revisionTemplateSpec = object({ metadata: present(templateMeta), spec: present(revisionSpec) });
export type RevisionTemplateSpec = TypeOf<typeof revisionTemplateSpec>;

const containerDigest = object({ name: string, imageDigest: string });

const revisionSchema = object({
  ...resourceFields,
  spec: present(revisionSpec),
  status: object({
    ...statusFields,
    logUrl: string,
    containerStatuses: array(containerDigest),
    initContainerStatuses: array(containerDigest),
    actualReplicas: int32,
    desiredReplicas: int32,
  }),
});
/** An immutable snapshot of code and configuration. */
export type Revision = TypeOf<typeof revisionSchema>;
export type RevisionStatus = NonNullable<Revision['status']>;

export const revisions: Kind<Revision> = {
  group: 'serving.knative.dev',
  version: 'v1',
  kind: 'Revision',
  plural: 'revisions',
  singular: 'revision',
  shortNames: ['rev'],
  namespaced: true,
  schema: revisionSchema,
  statusSubresource: true,
  indexed: indexedByRoute,
  defaults: defaultRevision,
  validate: validateRevision,
  warnings: warnRevision,
};
