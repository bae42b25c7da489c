import { textOfAttribute } from '../attribute-text.ts';
import type { EventMessage } from '../event-message.ts';
import type { CesqlNode } from './ast.ts';
import { shapeOfLike } from './like.ts';

/**
 * A test that an index of attribute values can answer: the attribute is there, and its text (`textOfAttribute`) equals, starts
 * with or ends with `value`. Says exactly what the node says as a filter.
 */
export interface CesqlAtom {
  readonly kind: 'exact' | 'prefix' | 'suffix';
  readonly attribute: string;
  readonly value: string;
}

/** The atom that a node is, `undefined` when an index cannot answer it. */
export function atomOf(node: CesqlNode): CesqlAtom | undefined {
  if (node.kind === 'comparison') {
    const { left, right } = node;
    if (node.operator !== '=' || left.kind !== 'attribute' || right.kind !== 'literal' || typeof right.value !== 'string')
      return undefined;
    return { kind: 'exact', attribute: left.name, value: right.value };
  }
  if (node.kind !== 'like' || node.operand.kind !== 'attribute') return undefined;
  const shape = shapeOfLike(node.pattern);
  return shape === undefined ? undefined : { kind: shape.kind, attribute: node.operand.name, value: shape.text };
}

/** Evaluates an atom without an index: what the index must be equal to. */
export function atomMatches(atom: CesqlAtom, event: EventMessage): boolean {
  const value = event.attribute(atom.attribute);
  if (value === undefined) return false;
  const text = textOfAttribute(value);
  if (atom.kind === 'exact') return text === atom.value;
  return atom.kind === 'prefix' ? text.startsWith(atom.value) : text.endsWith(atom.value);
}
