/** A value of CESQL's three types. Integers are whole numbers of 32 bits. */
export type CesqlValue = string | number | boolean;

export type CesqlType = 'string' | 'integer' | 'boolean';

/** Where a node stands in the text of its expression: `text.slice(start, end)`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

export interface LiteralNode extends Span {
  readonly kind: 'literal';
  readonly value: CesqlValue;
}
export interface AttributeNode extends Span {
  readonly kind: 'attribute';
  /** In lower case. */
  readonly name: string;
}
export interface ExistsNode extends Span {
  readonly kind: 'exists';
  readonly name: string;
}
export interface UnaryNode extends Span {
  readonly kind: 'not' | 'negate';
  readonly operand: CesqlNode;
}
/** `NOT LIKE` is a `not` around it. */
export interface LikeNode extends Span {
  readonly kind: 'like';
  readonly operand: CesqlNode;
  /** As written, with its escapes. */
  readonly pattern: string;
}
/** `NOT IN` is a `not` around it. */
export interface InNode extends Span {
  readonly kind: 'in';
  readonly operand: CesqlNode;
  readonly set: readonly CesqlNode[];
}
export interface ArithmeticNode extends Span {
  readonly kind: 'arithmetic';
  readonly operator: '+' | '-' | '*' | '/' | '%';
  readonly left: CesqlNode;
  readonly right: CesqlNode;
}
export interface ComparisonNode extends Span {
  readonly kind: 'comparison';
  /** `<>` is `!=`. */
  readonly operator: '=' | '!=' | '<' | '<=' | '>' | '>=';
  readonly left: CesqlNode;
  readonly right: CesqlNode;
}
/** Two or more operands; neighbours joined by the same operator are one node. */
export interface LogicNode extends Span {
  readonly kind: 'and' | 'or' | 'xor';
  readonly operands: readonly CesqlNode[];
}
export interface CallNode extends Span {
  readonly kind: 'call';
  /** In upper case. */
  readonly name: string;
  readonly args: readonly CesqlNode[];
}

/** A parsed expression. Plain data: a filter index can take conjunctions apart and compile the rest with `compileCesqlNode`. */
export type CesqlNode =
  | LiteralNode
  | AttributeNode
  | ExistsNode
  | UnaryNode
  | LikeNode
  | InNode
  | ArithmeticNode
  | ComparisonNode
  | LogicNode
  | CallNode;

/** The operands of a node in the order in which they are evaluated. */
export function operandsOf(node: CesqlNode): readonly CesqlNode[] {
  switch (node.kind) {
    case 'literal':
    case 'attribute':
    case 'exists':
      return [];
    case 'not':
    case 'negate':
    case 'like':
      return [node.operand];
    case 'in':
      return [node.operand, ...node.set];
    case 'arithmetic':
    case 'comparison':
      return [node.left, node.right];
    case 'call':
      return node.args;
    default:
      return node.operands;
  }
}

/** The parts of a top-level AND, or the node alone. A filter passes exactly when each of them is true without an error. */
export function conjunctsOf(node: CesqlNode): readonly CesqlNode[] {
  return node.kind === 'and' ? node.operands : [node];
}
