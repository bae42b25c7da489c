import { CesqlFault } from '../../cloudevents/cesql/cesql-fault.ts';
import { parseCesql } from '../../cloudevents/cesql/parser.ts';
import {
  also,
  genericError,
  invalidKeyName,
  invalidValue,
  noErrors,
  viaField,
  viaIndex,
  viaKey,
  type FieldErrors,
} from '../field-errors.ts';
import type { SubscriptionsApiFilter } from './filter-spec.ts';
import { upstreamCesqlError } from './upstream-cesql-error.ts';

const attributeName = /^[a-z][a-z0-9]*$/;
const attributeNameRule = 'Attribute name must start with a letter and can only contain lowercase alphanumeric';

/** Errors of the names in a map from attributes to values. */
export function validateAttributeNames(attributes: Readonly<Record<string, string>> | undefined): FieldErrors {
  const errors = Object.keys(attributes ?? {})
    .filter((name) => !attributeName.test(name))
    .map((name) => viaKey(invalidKeyName(name, '', attributeNameRule), name));
  return also(...errors);
}

/**
 * Errors of a list of filters. The index of every later element is put in front of an earlier element's errors too, as upstream does:
 * `[2][1][0].cesql` is the first of three.
 */
export function validateFilters(filters: readonly SubscriptionsApiFilter[] | undefined): FieldErrors {
  let errors: FieldErrors = noErrors;
  filters?.forEach((filter, index) => {
    errors = viaIndex(also(errors, validateFilter(filter)), index);
  });
  return errors;
}

function validateFilter(filter: SubscriptionsApiFilter): FieldErrors {
  return also(
    countDialects(filter) > 1 ? genericError('multiple dialects found, filters can have only one dialect set') : noErrors,
    viaField(validateAttributeNames(filter.exact), 'exact'),
    viaField(validateAttributeNames(filter.prefix), 'prefix'),
    viaField(validateAttributeNames(filter.suffix), 'suffix'),
    viaField(validateFilters(filter.all), 'all'),
    viaField(validateFilters(filter.any), 'any'),
    filter.not === undefined ? noErrors : viaField(validateFilter(filter.not), 'not'),
    filter.cesql === undefined ? noErrors : viaField(validateCesql(filter.cesql), 'cesql'),
  );
}

function countDialects(filter: SubscriptionsApiFilter): number {
  const { exact, prefix, suffix, all, any, not, cesql } = filter;
  const maps = [exact, prefix, suffix].filter((map) => Object.keys(map ?? {}).length > 0);
  const lists = [all, any].filter((list) => list !== undefined && list.length > 0);
  return maps.length + lists.length + (not === undefined ? 0 : 1) + (cesql === undefined || cesql === '' ? 0 : 1);
}

function validateCesql(expression: string): FieldErrors {
  if (expression === '') return noErrors;
  const node = parseCesql(expression);
  return node instanceof CesqlFault ? invalidValue(expression, '', upstreamCesqlError(expression)) : noErrors;
}
