import { conjunctsOf, type CesqlNode, type InNode } from '../../cloudevents/cesql/ast.ts';
import { atomOf } from '../../cloudevents/cesql/atoms.ts';
import { compileCesqlNode, type CesqlExpression } from '../../cloudevents/cesql/cesql-expression.ts';
import { CesqlFault } from '../../cloudevents/cesql/cesql-fault.ts';
import { explainCesql, type CesqlExplanation } from '../../cloudevents/cesql/explain.ts';
import { parseCesql } from '../../cloudevents/cesql/parser.ts';
import type { EventMessage } from '../../cloudevents/event-message.ts';
import { textReader } from './attribute.ts';
import type { AtomNode, FilterNode } from './filter-node.ts';

/** A CESQL expression, or a part of one, as a filter. Compiled when it is first evaluated: what the index answers never is. */
export class CesqlTest {
  readonly text: string;
  readonly #whole: string;
  readonly #node: CesqlNode;
  #compiled: CesqlExpression | undefined;

  constructor(whole: string, node: CesqlNode) {
    this.text = node.start === 0 && node.end === whole.length ? whole : whole.slice(node.start, node.end);
    this.#whole = whole;
    this.#node = node;
  }

  /** True only for the boolean true: errors and values of other types do not pass. */
  passes(event: EventMessage): boolean {
    return this.#expression().matches(event);
  }

  /** True when the value is not a boolean, which upstream's broker does not survive. Errors are false instead. */
  isBroken(event: EventMessage): boolean {
    const { value, error } = this.#expression().evaluate(event);
    return error === undefined && typeof value !== 'boolean';
  }

  /** The value or the error in words. */
  describe(event: EventMessage): string {
    const { value, error } = this.#expression().evaluate(event);
    if (error !== undefined) return error.message;
    return `is ${JSON.stringify(value)}${typeof value === 'boolean' ? '' : ', which is not a boolean'}`;
  }

  /** The value of each part. */
  explain(event: EventMessage): CesqlExplanation {
    return explainCesql(this.#expression(), event);
  }

  #expression(): CesqlExpression {
    this.#compiled ??= compileCesqlNode(this.#whole, this.#node);
    return this.#compiled;
  }
}

/** Parses an expression into a filter node; a text is the parse error. */
export function parseCesqlFilter(text: string): FilterNode | string {
  const node = parseCesql(text);
  if (node instanceof CesqlFault) return node.message;
  const parts = conjunctsOf(node).map((part) => partOf(text, part));
  const usable = parts.some((part) => part.kind !== 'cesql');
  const [only] = parts;
  const split = !usable || only === undefined ? undefined : parts.length === 1 ? only : ({ kind: 'all', nodes: parts } as const);
  return { kind: 'cesql', test: new CesqlTest(text, node), split };
}

/** One conjunct: as look-ups where they say the same, with the expression beside them where they only narrow it down. */
function partOf(text: string, node: CesqlNode): FilterNode {
  const view = viewOf(node);
  if (view?.isExact === true) return view.node;
  const test: FilterNode = { kind: 'cesql', test: new CesqlTest(text, node), split: undefined };
  return view === undefined ? test : { kind: 'all', nodes: [view.node, test] };
}

interface View {
  readonly node: FilterNode;
  /** False when the expression may be false, or fail, where the node passes. */
  readonly isExact: boolean;
}

// What every event that the expression accepts must meet, in look-ups.
function viewOf(node: CesqlNode): View | undefined {
  if (node.kind === 'in') return viewOfIn(node);
  if (node.kind === 'or') return viewOfOr(node.operands);
  const atom = atomOf(node);
  const view = atom === undefined ? undefined : atomNode(atom.kind, atom.attribute, atom.value);
  return view === undefined ? undefined : { node: view, isExact: true };
}

/** Attributes that every event has, as text: an expression about them cannot fail for want of them. */
const requiredAttributes: ReadonlySet<string> = new Set(['id', 'source', 'type', 'specversion']);
const textAttributes: ReadonlySet<string> = new Set([...requiredAttributes, 'subject', 'dataschema', 'datacontenttype']);
/** Names that filters read otherwise than CESQL does. */
const otherwiseRead: ReadonlySet<string> = new Set(['time', 'schemaurl', 'datamediatype', 'datacontentencoding']);

function atomNode(kind: AtomNode['kind'], attribute: string, value: string): AtomNode | undefined {
  if (otherwiseRead.has(attribute) || (value === '' && kind !== 'exact')) return undefined;
  return { kind, attribute, value: flat(value), read: textReader(attribute) };
}

// A text cut out of an expression, or put together from pieces, is slower to compare than one of its own.
function flat(text: string): string {
  return text.length > 256 ? text : String.fromCharCode(...Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)));
}

// An operand that fails ends an OR without looking at the ones behind it.
function viewOfOr(operands: readonly CesqlNode[]): View | undefined {
  const nodes: FilterNode[] = [];
  let isExact = true;
  operands.forEach((operand, index) => {
    const view = viewOf(operand);
    if (view === undefined) return;
    nodes.push(view.node);
    const cannotFail = view.node.kind !== 'any' && 'attribute' in view.node && requiredAttributes.has(view.node.attribute);
    isExact &&= view.isExact && (cannotFail || index === operands.length - 1);
  });
  return nodes.length === operands.length ? { node: { kind: 'any', nodes }, isExact } : undefined;
}

// Members are cast to the attribute's type, so a number 12 is found in ('012'), and a member that cannot be cast ends the search.
function viewOfIn(node: InNode): View | undefined {
  if (node.operand.kind !== 'attribute') return undefined;
  const attribute = node.operand.name;
  const isText = textAttributes.has(attribute);
  const nodes: FilterNode[] = [];
  for (const member of node.set) {
    if (member.kind !== 'literal' || typeof member.value !== 'string') return undefined;
    if (!isText && hasOtherSpelling(member.value)) return undefined;
    const atom = atomNode('exact', attribute, member.value);
    if (atom === undefined) return undefined;
    nodes.push(atom);
  }
  return nodes.length === 0 ? undefined : { node: { kind: 'any', nodes }, isExact: isText };
}

function hasOtherSpelling(text: string): boolean {
  if (/^(?:true|false)$/i.test(text)) return text !== text.toLowerCase();
  return /^[+-]?\d+$/.test(text) && text !== String(Number(text));
}
