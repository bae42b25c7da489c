import type { Kind } from '../kind.ts';
import { array, boolean, int32, int64, intOrString, object, oneOf, present, required, string, type TypeOf } from '../schema.ts';
import { labelSelector, resourceFields, templateMeta } from '../core/metadata.ts';
import { podSpec } from '../core/pod-spec.ts';

export const podTemplateSpec = object({ metadata: present(templateMeta), spec: present(podSpec) });
export type PodTemplateSpec = TypeOf<typeof podTemplateSpec>;

/** `appsv1.DeploymentCondition`. */
export const deploymentCondition = object({
  type: required(string),
  status: required(oneOf('True', 'False', 'Unknown')),
  lastUpdateTime: string,
  lastTransitionTime: string,
  reason: string,
  message: string,
});
export type DeploymentCondition = TypeOf<typeof deploymentCondition>;

const deploymentSchema = object({
  ...resourceFields,
  spec: present(
    object({
      replicas: int32,
      selector: present(labelSelector),
      template: present(podTemplateSpec),
      strategy: object({
        type: oneOf('RollingUpdate', 'Recreate'),
        rollingUpdate: object({ maxUnavailable: intOrString, maxSurge: intOrString }),
      }),
      minReadySeconds: int32,
      revisionHistoryLimit: int32,
      paused: boolean,
      progressDeadlineSeconds: int32,
    }),
  ),
  status: object({
    observedGeneration: int64,
    replicas: int32,
    updatedReplicas: int32,
    readyReplicas: int32,
    availableReplicas: int32,
    unavailableReplicas: int32,
    terminatingReplicas: int32,
    conditions: array(deploymentCondition),
    collisionCount: int32,
  }),
});
export type Deployment = TypeOf<typeof deploymentSchema>;

export const deployments: Kind<Deployment> = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  singular: 'deployment',
  shortNames: ['deploy'],
  namespaced: true,
  schema: deploymentSchema,
  statusSubresource: true,
};
