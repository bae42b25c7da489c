export { coreKinds, servingKinds } from './kinds.ts';
export { eventingKinds } from './eventing/kinds.ts';
export { installedEventingConfig } from './eventing/installed-config.ts';
export { apiVersionOf, resourceNameOf, type AdmissionContext, type Kind } from './kind.ts';
export { resourceKey, type Condition, type ObjectMeta, type OwnerReference, type Resource } from './resource.ts';
export { errorText, mergeErrors, type FieldError, type FieldErrors } from './field-errors.ts';
export { strictDecode, type DecodeProblem, type DecodeResult } from './strict-decode.ts';
export { type EventRecord, type FactRequest, type ListSelector, type Plan, type Reader, type Reconciler, type Write } from './reconciler.ts';
