import { also, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext } from '../kind.ts';
import {
  servingGroup,
  validateCreatorAndModifier,
  validateOwnerLabel,
  validateRolloutDuration,
  validateUnscaledMetadata,
} from './metadata-validation.ts';
import type { Route } from './route.ts';
import { defaultTraffic, validateTraffic } from './traffic-validation.ts';
import { isUpdate, withUserInfo } from './user-info.ts';

export function defaultRoute(route: Route, context: AdmissionContext): Route {
  const traffic = defaultTraffic(route.spec.traffic, false);
  const defaulted = traffic === undefined ? route : { ...route, spec: { ...route.spec, traffic } };
  return route.metadata.ownerReferences === undefined ? withUserInfo(defaulted, context) : defaulted;
}

export function validateRoute(route: Route, context: AdmissionContext): FieldErrors {
  const { metadata, spec } = route;
  const { old } = context;
  return also(
    viaField(validateUnscaledMetadata(metadata), 'metadata'),
    viaField(validateOwnerLabel(metadata, `${servingGroup}/service`, 'Service'), 'metadata.labels'),
    viaField(validateRolloutDuration(metadata.annotations), 'metadata.annotations'),
    viaField(validateTraffic(spec.traffic, false), 'spec.traffic'),
    isUpdate(context) && metadata.ownerReferences === undefined
      ? viaField(
          validateCreatorAndModifier(old?.spec, spec, old?.metadata.annotations, metadata.annotations),
          'metadata.annotations',
        )
      : noErrors,
  );
}
