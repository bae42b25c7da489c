import type { CesqlValue, InNode } from './ast.ts';
import { castLike, toText } from './cast.ts';
import { failure } from './failure.ts';
import type { Get } from './getter.ts';

const scanMax = 8;

/** IN with literals only. Texts are cast beforehand, the other types, which are rare, at each evaluation. */
export function inLiterals(operand: Get<CesqlValue>, literals: readonly CesqlValue[], node: InNode): Get<boolean> {
  const texts = literals.map(toText);
  const set = texts.length > scanMax ? new Set(texts) : undefined;
  return (event) => {
    const value = operand(event);
    if (failure.kind !== undefined) return false;
    if (typeof value !== 'string') return otherIn(value, literals, node);
    if (set !== undefined) return set.has(value);
    for (let i = 0; i < texts.length; i++) if (texts[i] === value) return true;
    return false;
  };
}

function otherIn(value: number | boolean, literals: readonly CesqlValue[], node: InNode): boolean {
  for (let i = 0; i < literals.length; i++) {
    const same = castLike(literals[i] ?? false, value, node.set[i] ?? node) === value;
    if (failure.kind !== undefined) return false;
    if (same) return true;
  }
  return false;
}
