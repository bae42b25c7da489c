import type { EventMessage } from '../event-message.ts';
import { operandsOf, type CesqlNode, type CesqlValue } from './ast.ts';
import { castLike, parseBoolean } from './cast.ts';
import type { CesqlFault } from './cesql-fault.ts';
import { compileCesqlNode, type CesqlExpression } from './cesql-expression.ts';
import { takeFailure } from './failure.ts';

/** A sub-expression with what it gave for one event. */
export interface CesqlExplanation {
  /** The text of the sub-expression. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** False when evaluation did not get here: an earlier operand had decided or failed. Then there is no value. */
  readonly evaluated: boolean;
  readonly value: CesqlValue | undefined;
  readonly error: CesqlFault | undefined;
  readonly operands: readonly CesqlExplanation[];
}

/** The value of each sub-expression for an event, for people; slow. */
export function explainCesql(expression: CesqlExpression, event: EventMessage): CesqlExplanation {
  return explainNode(expression, expression.node, event);
}

function explainNode(expression: CesqlExpression, node: CesqlNode, event: EventMessage): CesqlExplanation {
  const result = compileCesqlNode(expression.text, node, expression.options).evaluate(event);
  const operands: CesqlExplanation[] = [];
  // A function that nobody knows does not look at its arguments.
  let reached = result.error?.kind !== 'missingFunction' || result.error.position !== node.start || node.kind !== 'call';
  for (const operand of operandsOf(node)) {
    const explanation: CesqlExplanation = reached ? explainNode(expression, operand, event) : notEvaluated(expression, operand);
    operands.push(explanation);
    reached = reached && explanation.error === undefined && !decides(node, explanation, operands);
  }
  return { ...span(expression, node), evaluated: true, value: result.value, error: result.error, operands };
}

/** True when the operand that was looked at last settles the value of its parent. */
function decides(node: CesqlNode, operand: CesqlExplanation, operands: readonly CesqlExplanation[]): boolean {
  const isTrue = asBoolean(operand.value);
  if (node.kind === 'and') return isTrue === undefined || !isTrue;
  if (node.kind === 'or') return isTrue === undefined || isTrue;
  if (node.kind === 'xor') return isTrue === undefined;
  const tested = operands[0];
  if (node.kind !== 'in' || tested?.value === undefined || tested === operand || operand.value === undefined) return false;
  const cast = castLike(operand.value, tested.value, node);
  return takeFailure() !== undefined || cast === tested.value;
}

/** Undefined: cannot be cast, which ends the evaluation too. */
function asBoolean(value: CesqlValue | undefined): boolean | undefined {
  if (typeof value === 'string') return parseBoolean(value);
  return value === undefined ? undefined : Boolean(value);
}

function notEvaluated(expression: CesqlExpression, node: CesqlNode): CesqlExplanation {
  return {
    ...span(expression, node),
    evaluated: false,
    value: undefined,
    error: undefined,
    operands: operandsOf(node).map((operand) => notEvaluated(expression, operand)),
  };
}

function span(expression: CesqlExpression, node: CesqlNode): { text: string; start: number; end: number } {
  return { text: expression.text.slice(node.start, node.end), start: node.start, end: node.end };
}

/** The explanation as lines, sub-expressions indented below what they belong to. */
export function formatExplanation(explanation: CesqlExplanation, depth = 0): string[] {
  const shown = !explanation.evaluated
    ? '(not evaluated)'
    : explanation.error === undefined
      ? JSON.stringify(explanation.value)
      : `${JSON.stringify(explanation.value)} (${explanation.error.message})`;
  return [
    `${'  '.repeat(depth)}${explanation.text}  →  ${shown}`,
    ...explanation.operands.flatMap((operand) => formatExplanation(operand, depth + 1)),
  ];
}
