import type { EventMessage } from '../../cloudevents/event-message.ts';
import type { AttributeReader, TextReader } from './attribute.ts';
import type { CesqlTest } from './cesql-node.ts';

/** Compares one attribute, as text, with a value. */
export interface AtomNode {
  readonly kind: 'exact' | 'prefix' | 'suffix';
  readonly attribute: string;
  readonly value: string;
  readonly read: TextReader;
}

/** A filter as it is evaluated: dialects with several attributes are split, what cannot be built is left out. */
export type FilterNode =
  | AtomNode
  /** Always noFilter. */
  | { readonly kind: 'none' }
  /** Always pass. */
  | { readonly kind: 'pass' }
  /** The attribute is there and not ''. */
  | { readonly kind: 'present'; readonly attribute: string; readonly read: AttributeReader }
  /** The attribute is text in memory: what the legacy filter demands of an extension besides equality. */
  | { readonly kind: 'text'; readonly attribute: string; readonly read: AttributeReader }
  | { readonly kind: 'all' | 'any'; readonly nodes: readonly FilterNode[] }
  | { readonly kind: 'not'; readonly node: FilterNode }
  /** `split` says the same by other nodes, as far as the index can use them. */
  | { readonly kind: 'cesql'; readonly test: CesqlTest; readonly split: FilterNode | undefined };

export const fail = 0;
export const pass = 1;
export const noFilter = 2;
/** `fail`, `pass` or `noFilter`; whatever is not `fail` is delivered. */
export type NodeResult = typeof fail | typeof pass | typeof noFilter;

/** Evaluates a node as upstream's filters do, without their reordering: the last element decides between pass and noFilter. */
export function evaluateNode(node: FilterNode, event: EventMessage): NodeResult {
  switch (node.kind) {
    case 'exact':
      return node.read(event) === node.value ? pass : fail;
    case 'prefix':
      return node.read(event)?.startsWith(node.value) === true ? pass : fail;
    case 'suffix':
      return node.read(event)?.endsWith(node.value) === true ? pass : fail;
    case 'cesql':
      return node.test.passes(event) ? pass : fail;
    case 'all': {
      let result: NodeResult = noFilter;
      for (const child of node.nodes) {
        result = evaluateNode(child, event);
        if (result === fail) return fail;
      }
      return result;
    }
    case 'any': {
      let result: NodeResult = noFilter;
      for (const child of node.nodes) {
        result = evaluateNode(child, event);
        if (result === pass) return pass;
      }
      return result;
    }
    case 'not': {
      const result = evaluateNode(node.node, event);
      if (result === noFilter) return noFilter;
      // An expression that gives no boolean is neither true nor false, so its opposite does not pass either.
      return result === pass || isBroken(node.node, event) ? fail : pass;
    }
    case 'present': {
      const value = node.read(event);
      return value !== undefined && value !== '' ? pass : fail;
    }
    case 'text':
      return typeof node.read(event) === 'string' ? pass : fail;
    case 'none':
      return noFilter;
    case 'pass':
      return pass;
  }
}

/** True when the evaluation comes upon an expression that gives no boolean. */
function isBroken(node: FilterNode, event: EventMessage): boolean {
  switch (node.kind) {
    case 'cesql':
      return node.test.isBroken(event);
    case 'not':
      return isBroken(node.node, event);
    case 'all':
    case 'any': {
      const decisive = node.kind === 'all' ? fail : pass;
      for (const child of node.nodes) {
        if (isBroken(child, event)) return true;
        if (evaluateNode(child, event) === decisive) return false;
      }
      return false;
    }
    default:
      return false;
  }
}
