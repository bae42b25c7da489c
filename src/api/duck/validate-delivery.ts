import { parsePeriod } from '../../cloudevents/delivery-period.ts';
import { also, disallowedFields, invalidValue, noErrors, viaField, type FieldErrors } from '../field-errors.ts';
import type { DeliverySpec } from './delivery-spec.ts';
import { isFeatureEnabled } from './features.ts';
import { defaultDestination, validateDestination, type ReferenceScope } from './validate-destination.ts';

/** Errors of a delivery specification; an absent one has none. */
export function validateDelivery(delivery: DeliverySpec | undefined, scope: ReferenceScope): FieldErrors {
  if (delivery === undefined) return noErrors;
  const { deadLetterSink, retry, timeout, backoffPolicy, backoffDelay, format, retryAfterMax } = delivery;
  const policy: string | undefined = backoffPolicy;
  const mode: string | undefined = format;
  return also(
    viaField(validateDestination(deadLetterSink, scope), 'deadLetterSink'),
    retry !== undefined && retry < 0 ? invalidValue(retry, 'retry') : noErrors,
    timeout === undefined ? noErrors : validateTimeout(timeout, scope),
    policy === undefined || policy === 'linear' || policy === 'exponential' ? noErrors : invalidValue(policy, 'backoffPolicy'),
    backoffDelay !== undefined && typeof parsePeriod(backoffDelay) === 'string'
      ? invalidValue(backoffDelay, 'backoffDelay')
      : noErrors,
    mode === undefined || mode === 'json' || mode === 'binary' ? noErrors : invalidValue(mode, 'format'),
    retryAfterMax === undefined ? noErrors : validateRetryAfterMax(retryAfterMax, scope),
  );
}

function validateTimeout(timeout: string, scope: ReferenceScope): FieldErrors {
  if (!isFeatureEnabled(scope.context, 'delivery-timeout')) return disallowedFields('timeout');
  const period = parsePeriod(timeout);
  return typeof period === 'string' || period.isZero ? invalidValue(timeout, 'timeout') : noErrors;
}

function validateRetryAfterMax(retryAfterMax: string, scope: ReferenceScope): FieldErrors {
  if (!isFeatureEnabled(scope.context, 'delivery-retryafter')) return disallowedFields('retryAfterMax');
  const period = parsePeriod(retryAfterMax);
  return typeof period === 'string' || period.isNegative ? invalidValue(retryAfterMax, 'retryAfterMax') : noErrors;
}

/** A delivery specification whose dead letter sink has the parent's namespace where it names none. */
export function defaultDelivery<D extends DeliverySpec | undefined>(delivery: D, namespace: string | undefined): D {
  if (delivery?.deadLetterSink === undefined) return delivery;
  const deadLetterSink = defaultDestination(delivery.deadLetterSink, namespace);
  return deadLetterSink === delivery.deadLetterSink ? delivery : { ...delivery, deadLetterSink };
}
