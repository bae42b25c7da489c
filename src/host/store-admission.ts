import { errorText } from '../api/field-errors.ts';
import type { AdmissionContext } from '../api/kind.ts';
import type { Resource } from '../api/resource.ts';
import type { AdmissionRequest } from '../controller/memory-store.ts';
import { KnativeError } from '../errors.ts';
import { configPerObject } from './admission/config-layers.ts';

/**
 * Defaulting and validation of every write, whoever writes: the part that upstream's webhooks have on a cluster. Throws API_INVALID
 * (status 400, upstream's text) and leaves the store as it was.
 */
export function createStoreAdmission(
  config: (name: string) => Readonly<Record<string, string>>,
): (request: AdmissionRequest) => Resource {
  const configOf = configPerObject(config);
  return ({ kind, resource, operation, old, user }) => {
    const context: AdmissionContext = { operation, user, config: configOf(resource), ...(old === undefined ? {} : { old }) };
    const admitted = kind.defaults === undefined ? resource : kind.defaults(resource, context);
    const errors = kind.validate === undefined ? [] : kind.validate(admitted, context);
    const refused = errors.filter(({ level }) => level !== 'warning');
    if (refused.length > 0) {
      const path = refused[0]?.paths[0];
      throw new KnativeError('API_INVALID', errorText(refused), { status: 400, ...(path === undefined ? {} : { path }) });
    }
    return admitted;
  };
}
