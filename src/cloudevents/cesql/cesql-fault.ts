import { KnativeError } from '../../errors.ts';

/** The specification's error kinds. `generic` is what the others do not name. */
export type CesqlFaultKind =
  'parse' | 'math' | 'cast' | 'missingAttribute' | 'missingFunction' | 'functionEvaluation' | 'generic';

/** Why an expression cannot be parsed, or what went wrong while it was evaluated. A value, never thrown by this module. */
export class CesqlFault {
  readonly kind: CesqlFaultKind;
  /** What is wrong, without the position. */
  readonly reason: string;
  /** Where in the expression, offset of the first character. */
  readonly position: number;
  /** Offset behind the last character of the part at fault. */
  readonly end: number;

  constructor(kind: CesqlFaultKind, reason: string, position: number, end: number) {
    this.kind = kind;
    this.reason = reason;
    this.position = position;
    this.end = end;
  }

  get message(): string {
    return `${this.kind} error at ${this.position}: ${this.reason}`;
  }

  /** An error to throw, status 400. */
  toError(): KnativeError {
    return new KnativeError(this.kind === 'parse' ? 'CLOUDEVENTS_CESQL_PARSE' : 'CLOUDEVENTS_CESQL_EVALUATION', this.message, {
      status: 400,
      path: String(this.position),
    });
  }
}
