import type { Condition } from '../resource.ts';
import { array, int64, map, object, oneOf, required, string, type Schema } from '../schema.ts';

/** One condition of a status. */
export const condition: Schema<Condition> = object({
  type: required(string),
  status: required(oneOf('True', 'False', 'Unknown')),
  severity: oneOf('Warning', 'Info'),
  lastTransitionTime: string,
  reason: string,
  message: string,
});

/** The fields that every Knative status has (`duckv1.Status`). */
export const statusFields = { observedGeneration: int64, conditions: array(condition), annotations: map(string) };

/** What every Knative status has. */
export interface DuckStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  annotations?: Record<string, string>;
}

/** The event policies that apply to an object (`eventingduckv1.AppliedEventPoliciesStatus`). */
export const appliedPoliciesFields = {
  policies: array(object({ apiVersion: required(string), name: required(string) })),
};
export interface AppliedEventPoliciesStatus {
  policies?: { apiVersion: string; name: string }[];
}

/** The service account that an object authenticates with (`duckv1.AuthStatus`). */
export const authStatus = object({ serviceAccountName: string, serviceAccountNames: array(string) });
