import type { Kind } from '../kind.ts';
import { describe, int64, object, present, string, type TypeOf } from '../schema.ts';
import { plainStatus, resourceFields } from '../core/metadata.ts';
import { validateMetric } from './pod-autoscaler-admission.ts';

const metricSchema = object({
  ...resourceFields,
  spec: present(
    object({
      stableWindow: describe(present(int64), 'nanoseconds'),
      panicWindow: describe(present(int64), 'nanoseconds'),
      scrapeTarget: present(string),
    }),
  ),
  status: plainStatus,
});
/** Which windows of which target the metric collector keeps. */
export type Metric = TypeOf<typeof metricSchema>;

export const metrics: Kind<Metric> = {
  group: 'autoscaling.internal.knative.dev',
  version: 'v1alpha1',
  kind: 'Metric',
  plural: 'metrics',
  singular: 'metric',
  namespaced: true,
  schema: metricSchema,
  statusSubresource: true,
  validate: validateMetric,
};
