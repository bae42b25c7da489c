import type { Resource } from '../api/resource.ts';
import type { AdmissionRequest } from '../controller/memory-store.ts';
import { admitObject } from './admission/admit-object.ts';
import { configPerObject } from './admission/config-layers.ts';
import { problemsError } from './admission-error.ts';

/**
 * Defaulting and validation of every write, whoever writes: the part that upstream's webhooks have on a cluster. Throws API_INVALID
 * (status 400, upstream's text) and leaves the store as it was.
 */
export function createStoreAdmission(
  config: (name: string) => Readonly<Record<string, string>>,
): (request: AdmissionRequest) => Resource {
  const configOf = configPerObject(config);
  return ({ kind, resource, operation, old, user }) => {
    const admission = admitObject(kind, resource, {
      operation,
      user,
      config: configOf(resource),
      ...(old === undefined ? {} : { old }),
    });
    if (!admission.allowed || admission.resource === undefined) throw problemsError(admission.problems, admission.error);
    return admission.resource;
  };
}
