import { validateLocalReference } from '../core/object-reference-validation.ts';
import { also, invalidValue, missingField, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import { goEqual } from '../go-equal.ts';
import { validateNetworkingAnnotations } from './annotation-validation.ts';
import type { ServerlessService } from './serverless-service.ts';

export function validateServerlessService(service: ServerlessService): FieldErrors {
  return also(viaField(validateNetworkingAnnotations(service.metadata.annotations), 'annotations'), validateSpec(service.spec));
}

function validateSpec(spec: ServerlessService['spec']): FieldErrors {
  const { numActivators = 0, objectRef } = spec;
  const mode: string = spec.mode ?? '';
  const protocol: string = spec.protocolType ?? '';
  if (mode === '' && protocol === '' && numActivators === 0 && goEqual(objectRef, {}, true)) return missingField('spec');
  return viaField(
    also(
      mode === '' ? missingField('mode') : mode === 'Proxy' || mode === 'Serve' ? noErrors : invalidValue(mode, 'mode'),
      numActivators < 0 ? invalidValue(numActivators, 'numActivators') : noErrors,
      viaField(validateLocalReference(objectRef), 'objectRef'),
      protocol === '' ? missingField('protocolType') : noErrors,
      ['', 'http1', 'h2c'].includes(protocol) ? noErrors : invalidValue(protocol, 'protocolType'),
    ),
    'spec',
  );
}
