import type { CesqlNode } from './ast.ts';
import { CesqlFault, type CesqlFaultKind } from './cesql-fault.ts';

/**
 * The error of the evaluation that is under way. Compiled expressions set it and return the zero value of their type; whoever
 * called them looks here. A flag costs nothing when nothing fails, and evaluation is synchronous, so one is enough.
 */
export const failure: { kind: CesqlFaultKind | undefined; node: CesqlNode | undefined; detail: string } = {
  kind: undefined,
  node: undefined,
  detail: '',
};

/** Records the first error. `detail` is the value or name at fault; the message is made only when somebody wants it. */
export function fail(kind: CesqlFaultKind, node: CesqlNode, detail: string): void {
  if (failure.kind !== undefined) return;
  failure.kind = kind;
  failure.node = node;
  failure.detail = detail;
}

export function clearFailure(): void {
  failure.kind = undefined;
  failure.node = undefined;
  failure.detail = '';
}

/** The recorded error as a value; the record is cleared. */
export function takeFailure(): CesqlFault | undefined {
  const { kind, node, detail } = failure;
  if (kind === undefined) return undefined;
  clearFailure();
  return new CesqlFault(kind, reasonOf(kind, detail), node?.start ?? 0, node?.end ?? 0);
}

const shownMax = 100;

function reasonOf(kind: CesqlFaultKind, detail: string): string {
  switch (kind) {
    case 'missingAttribute':
      return `the event has no attribute ${JSON.stringify(detail)}`;
    case 'missingFunction':
      return `no function ${detail} takes that many arguments`;
    case 'cast':
      return `cannot cast ${detail.length > shownMax ? `${detail.slice(0, shownMax)}…` : detail}`;
    default:
      return detail;
  }
}
