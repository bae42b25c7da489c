import {
  also,
  disallowedFields,
  genericError,
  invalidArrayValue,
  invalidKeyName,
  missingOneOf,
  multipleOneOf,
  noErrors,
  outOfBounds,
  viaIndex,
  type FieldErrors,
} from '../field-errors.ts';
import { dns1035LabelProblems, qualifiedNameProblems } from '../names.ts';
import type { TrafficTarget } from './traffic-target.ts';

/** Fills in a target's percentage and whether it follows the latest Revision. */
function defaultTarget(target: TrafficTarget): TrafficTarget {
  if (target.latestRevision !== undefined && target.percent !== undefined) return target;
  return {
    ...target,
    latestRevision: target.latestRevision ?? (target.revisionName ?? '') === '',
    percent: target.percent ?? 0,
  };
}

/** Targets with defaults; within a Service no targets mean all traffic to the latest Revision. */
export function defaultTraffic(targets: readonly TrafficTarget[] | undefined, inService: boolean): TrafficTarget[] | undefined {
  if (inService && (targets === undefined || targets.length === 0)) return [{ latestRevision: true, percent: 100 }];
  return targets?.map(defaultTarget);
}

/** Checks the targets of a spec; paths relative to the list. Within a Service the Configuration is given. */
export function validateTraffic(targets: readonly TrafficTarget[] | undefined, inService: boolean): FieldErrors {
  let errors = noErrors;
  let sum = 0;
  const tags = new Map<string, number>();
  targets?.forEach((target, index) => {
    const { tag = '' } = target;
    sum += target.percent ?? 0;
    const found = validateTarget(target, inService);
    if (found.length > 0) errors = also(errors, viaIndex(found, index));
    if (tag === '') return;
    const problems = dns1035LabelProblems(tag);
    if (problems.length > 0) {
      errors = also(errors, invalidArrayValue(`not a DNS 1035 label: [${problems.join(' ')}]`, 'tag', index));
    }
    const first = tags.get(tag);
    if (first === undefined) tags.set(tag, index);
    else {
      errors = also(errors, genericError(`Multiple definitions for ${JSON.stringify(tag)}`, `[${index}].tag`, `[${first}].tag`));
    }
  });
  return sum === 100 ? errors : also(errors, genericError(`Traffic targets sum to ${sum}, want 100`, ''));
}

function validateTarget(target: TrafficTarget, inService: boolean): FieldErrors {
  const { revisionName = '', latestRevision, percent, url = '', tag = '' } = target;
  const pinned = revisionName !== '';
  return also(
    latestRevision === pinned
      ? genericError(
          `may not set revisionName ${JSON.stringify(revisionName)} when latestRevision is ${latestRevision}`,
          'latestRevision',
        )
      : noErrors,
    validateReference(target, inService),
    percent !== undefined && (percent < 0 || percent > 100) ? outOfBounds(percent, 0, 100, 'percent') : noErrors,
    url === '' ? noErrors : disallowedFields('url'),
    url !== '' && tag === '' ? disallowedFields('url') : noErrors,
  );
}

function validateReference(target: TrafficTarget, inService: boolean): FieldErrors {
  const { revisionName = '', configurationName = '' } = target;
  if (inService && configurationName !== '') return disallowedFields('configurationName');
  if (revisionName !== '' && configurationName !== '') return multipleOneOf('revisionName', 'configurationName');
  if (revisionName !== '') return validateName(revisionName, 'revisionName');
  if (configurationName !== '') return validateName(configurationName, 'configurationName');
  return inService ? noErrors : missingOneOf('revisionName', 'configurationName');
}

function validateName(name: string, path: string): FieldErrors {
  const problems = qualifiedNameProblems(name);
  return problems.length === 0 ? noErrors : invalidKeyName(name, path, problems.join(', '));
}
