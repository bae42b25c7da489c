import type { Condition } from '../resource.ts';
import { array, object, required, string } from '../schema.ts';

/** What every Knative status has (`duckv1.Status`). */
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
