import type { ConditionManager } from '../../api/conditions.ts';
import { goJsonError } from '../../api/duck/go-json.ts';
import type { DuckStatus } from '../../api/duck/status.ts';
import { dependencyAnnotation, type Trigger } from '../../api/eventing/trigger.ts';
import type { Reader } from '../../api/reconciler.ts';
import { resourceName } from './resolve-destination.ts';

/** Sets DependencyReady from the object that the dependency annotation names; the error is upstream's, `undefined` when there is none. */
export function propagateDependency(trigger: Trigger, world: Reader, conditions: ConditionManager): string | undefined {
  const annotation = trigger.metadata.annotations?.[dependencyAnnotation];
  if (annotation === undefined) {
    conditions.markTrue('DependencyReady');
    return undefined;
  }
  const reference = parseReference(annotation);
  if (typeof reference === 'string') {
    conditions.markFalse(
      'DependencyReady',
      'ReferenceError',
      `Unable to unmarshal objectReference from dependency annotation of trigger: ${reference}`,
    );
    return `getting object ref from dependency annotation ${JSON.stringify(annotation)}: ${reference}`;
  }
  const { apiVersion = '', kind = '', name = '' } = reference;
  const dependency = world.getByReference({ apiVersion, kind, namespace: trigger.metadata.namespace, name });
  if (dependency === undefined) {
    const problem = `${resourceName(apiVersion, kind)} "${name}" not found`;
    conditions.markFalse('DependencyReady', 'DependencyDoesNotExist', `Dependency does not exist: ${problem}`);
    return `propagating dependency readiness: getting the dependency: ${problem}`;
  }
  const status = dependency.status as DuckStatus | undefined;
  const generation = dependency.metadata.generation ?? 0;
  const observed = status?.observedGeneration ?? 0;
  if (generation !== observed) {
    conditions.markUnknown(
      'DependencyReady',
      'GenerationNotEqual',
      `The dependency's metadata.generation, ${quoteRune(generation)}, is not equal to its status.observedGeneration, ${quoteRune(observed)}.`,
    );
    return undefined;
  }
  propagateReady(status, conditions);
  return undefined;
}

function propagateReady(status: DuckStatus | undefined, conditions: ConditionManager): void {
  const ready = status?.conditions?.find((condition) => condition.type === 'Ready' || condition.type === 'Succeeded');
  if (ready === undefined) {
    conditions.markUnknown('DependencyReady', 'DependencyNotConfigured', 'Dependency has not yet been reconciled.');
  } else if (ready.status === 'True') conditions.markTrue('DependencyReady');
  else if (ready.status === 'False') conditions.markFalse('DependencyReady', ready.reason, ready.message);
  else conditions.markUnknown('DependencyReady', ready.reason, ready.message);
}

function parseReference(text: string): { apiVersion?: string; kind?: string; name?: string } | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return goJsonError(text);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const strings = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(strings);
}

// Upstream prints both numbers with %q, which takes them for characters.
function quoteRune(code: number): string {
  const escapes: Record<number, string> = {
    7: '\\a',
    8: '\\b',
    9: '\\t',
    10: '\\n',
    11: '\\v',
    12: '\\f',
    13: '\\r',
    39: "\\'",
    92: '\\\\',
  };
  const escape = escapes[code];
  if (escape !== undefined) return `'${escape}'`;
  if (code < 32 || code === 127) return `'\\x${code.toString(16).padStart(2, '0')}'`;
  return `'${String.fromCodePoint(Math.min(code, 0x10ffff))}'`;
}
