import { CesqlFault } from '../../cloudevents/cesql/cesql-fault.ts';
import * as token from '../../cloudevents/cesql/lexer.ts';
import { parseCesql } from '../../cloudevents/cesql/parser.ts';

const syntaxError = 'syntax error: ';
const notText = 'failed to parse LIKE expression: the pattern was not a string literal';
const integerMax = 0x7fffffff;

interface Token {
  readonly kind: number;
  readonly start: number;
  readonly end: number;
}

/**
 * What upstream's parser says of an expression that does not parse; '' for what crashes it, which its webhook reports without a text. The
 * parser has words for input in which no expression begins, for several tokens behind a complete expression, for a LIKE pattern that is no
 * string, and for integers that are too large.
 */
export function upstreamCesqlError(expression: string): string {
  const tokens = tokensOf(expression);
  const large = tokens.filter(
    ({ kind, start, end }) => kind === token.integerToken && Number(expression.slice(start, end)) > integerMax,
  );
  const text = withSmallIntegers(expression, large);
  const tree = parseCesql(text, { as: 'upstream' });
  const problems = tree instanceof CesqlFault ? syntaxProblems(text, tokens, tree) : [];
  if (problems === undefined) return '';
  // Integers behind the error are not looked at.
  const end = tree instanceof CesqlFault ? (beginsExpression(tokens) ? tree.position : 0) : text.length;
  for (const integer of large.filter(({ start }) => start < end)) {
    problems.push(
      `strconv.ParseInt: parsing ${JSON.stringify(expression.slice(integer.start, integer.end))}: value out of range`,
    );
  }
  return problems.length === 0 ? '' : `parse error: ${problems.join('|')}`;
}

function tokensOf(text: string): Token[] {
  const lexer = new token.Lexer(text, true);
  const tokens: Token[] = [];
  for (lexer.next(); lexer.kind !== token.endToken; lexer.next()) {
    tokens.push({ kind: lexer.kind, start: lexer.start, end: lexer.end });
  }
  return tokens;
}

function withSmallIntegers(text: string, large: readonly Token[]): string {
  let result = text;
  for (const { start, end } of large) result = `${result.slice(0, start)}${'0'.repeat(end - start)}${result.slice(end)}`;
  return result;
}

/** `undefined` when the parser crashes. */
function syntaxProblems(text: string, tokens: readonly Token[], fault: CesqlFault): string[] | undefined {
  const start = tokens.findIndex(({ kind }) => kind !== token.openToken);
  // A token in front of an expression is taken out, and the parser crashes when it reports that.
  if (!beginsExpression(tokens)) return begins(tokens[start + 1]) && start >= 0 ? undefined : [syntaxError];
  const at = tokens.findIndex(({ end }) => end > fault.position);
  const offending = at < 0 ? tokens.length : at;
  const before = tokens[offending - 1];
  const rest = tokens[offending];
  if (rest === undefined) return isOpenCall(tokens) ? [syntaxError] : undefined;
  if (before?.kind === token.likeToken) {
    const negated = tokens[offending - 2]?.kind === token.notToken;
    const operandEnd = (negated ? tokens[offending - 2] : before)?.start ?? 0;
    // What can follow a pattern lets the parser make one up, and it crashes when it reports that.
    const canFollow =
      rest.kind === token.minusToken || (!begins(rest) && rest.kind !== token.closeToken && rest.kind !== token.commaToken);
    return !canFollow && parses(text.slice(0, operandEnd)) ? [syntaxError, notText] : undefined;
  }
  // The same holds for a single token too many.
  return tokens.length - offending > 1 && parses(text.slice(0, rest.start)) ? [syntaxError] : undefined;
}

/** A call without its end, of one argument at most, or a name that only a function can have. */
function isOpenCall(tokens: readonly Token[]): boolean {
  const [name, open, argument] = tokens;
  if (open === undefined) return name?.kind === token.functionNameToken;
  const isCall = (name?.kind === token.wordToken || name?.kind === token.functionNameToken) && open.kind === token.openToken;
  return isCall && tokens.length <= 3 && (argument === undefined || argument.kind !== token.openToken);
}

const parses = (text: string): boolean => !(parseCesql(text, { as: 'upstream' }) instanceof CesqlFault);

const beginners: ReadonlySet<number> = new Set([
  token.wordToken,
  token.wordWithDigitsToken,
  token.functionNameToken,
  token.integerToken,
  token.stringToken,
  token.minusToken,
  token.notToken,
  token.existsToken,
  token.trueToken,
  token.falseToken,
]);

function begins(next: Token | undefined): boolean {
  return next !== undefined && (next.kind === token.openToken || beginners.has(next.kind));
}

function beginsExpression(tokens: readonly Token[]): boolean {
  const first = tokens.find(({ kind }) => kind !== token.openToken);
  return first !== undefined && beginners.has(first.kind);
}
