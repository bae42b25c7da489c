/**
 * The part of Go's text/template that `domain-template`, `tag-template` and log URLs use: fields, `index`, comparisons,
 * `if`/`else`/`end`, `with`, pipelines and white-space trimming. Compiled once, run without I/O.
 */

/** What a template may refer to: texts, and maps from text to text. */
export type TemplateValues = Readonly<Record<string, string | Readonly<Record<string, string>> | undefined>>;

/** Runs a template; `error` says what Go would say when it fails on these values. */
export type TextTemplate = (values: TemplateValues) => { readonly text: string; readonly error?: string };

type Value = string | number | boolean | Readonly<Record<string, string>> | undefined;
type Evaluate = (dot: Value, root: TemplateValues) => Value;
type Render = (dot: Value, root: TemplateValues) => string;

class TemplateError extends Error {}

/** The compiled template, or the text of the error in it. */
export function parseTemplate(source: string): TextTemplate | string {
  let render: Render;
  try {
    const parser = { pieces: splitPieces(source), at: 0 };
    render = parseBlock(parser, false);
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
  return (values) => {
    try {
      return { text: render(values as Value, values) };
    } catch (error) {
      if (error instanceof TemplateError) return { text: '', error: error.message };
      throw error;
    }
  };
}

type Piece = { readonly text: string } | { readonly action: string };

function splitPieces(source: string): Piece[] {
  const pieces: Piece[] = [];
  let rest = source;
  let trimNext = false;
  for (;;) {
    const open = rest.indexOf('{{');
    const text = open < 0 ? rest : rest.slice(0, open);
    const trimmed = trimNext ? text.trimStart() : text;
    if (open < 0) {
      pieces.push({ text: trimmed });
      return pieces;
    }
    const close = rest.indexOf('}}', open + 2);
    if (close < 0) throw new TemplateError('unclosed action');
    let action = rest.slice(open + 2, close);
    const trimBefore = /^-\s/.test(action);
    trimNext = /\s-$/.test(action);
    action = action.slice(trimBefore ? 1 : 0, trimNext ? -1 : undefined).trim();
    pieces.push({ text: trimBefore ? trimmed.trimEnd() : trimmed });
    if (!action.startsWith('/*')) pieces.push({ action });
    rest = rest.slice(close + 2);
  }
}

interface Parser {
  readonly pieces: readonly Piece[];
  at: number;
}

/** Everything up to the `end` or `else` that belongs to the surrounding block; that action stays to be read. */
function parseBlock(parser: Parser, nested: boolean): Render {
  const parts: Render[] = [];
  for (;;) {
    const piece = parser.pieces[parser.at];
    if (piece === undefined) {
      if (nested) throw new TemplateError('unexpected EOF');
      return (dot, root) => parts.map((part) => part(dot, root)).join('');
    }
    if ('text' in piece) {
      parser.at++;
      parts.push(() => piece.text);
      continue;
    }
    const [word = ''] = piece.action.split(/\s+/, 1);
    if (word === 'end' || word === 'else') {
      if (!nested) throw new TemplateError(`unexpected {{${word}}}`);
      return (dot, root) => parts.map((part) => part(dot, root)).join('');
    }
    parser.at++;
    if (word === 'if' || word === 'with') parts.push(parseBranch(parser, word, piece.action.slice(word.length)));
    else {
      const evaluate = parsePipeline(piece.action);
      parts.push((dot, root) => print(evaluate(dot, root)));
    }
  }
}

function parseBranch(parser: Parser, word: 'if' | 'with', condition: string): Render {
  const test = parsePipeline(condition);
  const then = parseBlock(parser, true);
  const piece = parser.pieces[parser.at++];
  const action = piece !== undefined && 'action' in piece ? piece.action : 'end';
  let otherwise: Render = () => '';
  const again = /^else\s+(if|with)\b(.*)$/s.exec(action);
  if (again?.[2] !== undefined) otherwise = parseBranch(parser, again[1] === 'with' ? 'with' : 'if', again[2]);
  else if (action.startsWith('else')) {
    otherwise = parseBlock(parser, true);
    parser.at++;
  }
  return (dot, root) => {
    const value = test(dot, root);
    return isTruthy(value) ? then(word === 'with' ? value : dot, root) : otherwise(dot, root);
  };
}

const tokenPattern = /\s*("(?:[^"\\]|\\.)*"|`[^`]*`|\||\(|\)|\$?(?:\.\w+)+|\$|\.|-?\d+(?:\.\d+)?|\w+)/y;

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const trimmed = text.trimEnd();
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < trimmed.length) {
    const from = tokenPattern.lastIndex;
    const token = tokenPattern.exec(trimmed)?.[1];
    if (token === undefined)
      throw new TemplateError(`unexpected ${JSON.stringify(trimmed.slice(from).trim()[0] ?? '')} in command`);
    tokens.push(token);
  }
  return tokens;
}

function parsePipeline(text: string): Evaluate {
  const tokens = tokenize(text);
  if (tokens.length === 0) throw new TemplateError('missing value for command');
  const evaluate = parseCommands(tokens);
  if (tokens.length > 0) throw new TemplateError(`unexpected ${JSON.stringify(tokens[0])} in command`);
  return evaluate;
}

/** Commands separated by bars: each gets the value before it as its last argument. */
function parseCommands(tokens: string[]): Evaluate {
  let evaluate = parseCommand(tokens, undefined);
  while (tokens[0] === '|') {
    tokens.shift();
    evaluate = parseCommand(tokens, evaluate);
  }
  return evaluate;
}

function parseCommand(tokens: string[], piped: Evaluate | undefined): Evaluate {
  const operands: Evaluate[] = [];
  let name: string | undefined;
  while (tokens[0] !== undefined && tokens[0] !== '|' && tokens[0] !== ')') {
    const token = tokens[0];
    if (operands.length === 0 && name === undefined && /^[A-Za-z_]\w*$/.test(token) && !literals.has(token)) {
      name = token;
      tokens.shift();
    } else operands.push(parseOperand(tokens));
  }
  if (piped !== undefined) operands.push(piped);
  if (name === undefined) {
    const [only] = operands;
    if (only === undefined) throw new TemplateError('missing value for command');
    if (operands.length > 1) throw new TemplateError("can't give argument to non-function");
    return only;
  }
  const run = functions[name];
  if (run === undefined) throw new TemplateError(`function ${JSON.stringify(name)} not defined`);
  return (dot, root) => run(operands.map((operand) => operand(dot, root)));
}

const literals = new Map<string, Value>([
  ['true', true],
  ['false', false],
  ['nil', undefined],
]);

function parseOperand(tokens: string[]): Evaluate {
  const token = tokens.shift() ?? '';
  if (token === '(') {
    const inner = parseCommands(tokens);
    if (tokens.shift() !== ')') throw new TemplateError('unclosed left paren');
    return inner;
  }
  if (literals.has(token)) {
    const value = literals.get(token);
    return () => value;
  }
  if (token.startsWith('"')) {
    const text = JSON.parse(token) as string;
    return () => text;
  }
  if (token.startsWith('`')) return () => token.slice(1, -1);
  if (/^-?\d/.test(token)) return () => Number(token);
  const fromRoot = token.startsWith('$');
  const path = token.replace(/^\$/, '').split('.').filter(Boolean);
  if (!fromRoot && !token.startsWith('.')) throw new TemplateError(`function ${JSON.stringify(token)} not defined`);
  return (dot, root) =>
    path.reduce<Value>((value, field) => fieldOf(value, field, value === root), fromRoot ? (root as Value) : dot);
}

/** A field of the values must exist; a key of a map need not. */
function fieldOf(value: Value, field: string, strict: boolean): Value {
  if (typeof value === 'object' && (!strict || field in value)) return value[field];
  if (value === undefined) return undefined;
  throw new TemplateError(`can't evaluate field ${field}`);
}

const functions: Record<string, ((values: readonly Value[]) => Value) | undefined> = {
  index: ([map, ...keys]) =>
    keys.reduce<Value>((value, key) => (typeof value === 'object' ? (value[String(key)] ?? '') : ''), map),
  eq: ([first, ...others]) => others.some((other) => other === first),
  ne: ([a, b]) => a !== b,
  lt: ([a = '', b = '']) => a < b,
  le: ([a = '', b = '']) => a <= b,
  gt: ([a = '', b = '']) => a > b,
  ge: ([a = '', b = '']) => a >= b,
  and: (values) => values.find((value) => !isTruthy(value)) ?? values.at(-1),
  or: (values) => values.find(isTruthy) ?? values.at(-1),
  not: ([value]) => !isTruthy(value),
  len: ([value]) => (typeof value === 'string' ? value.length : typeof value === 'object' ? Object.keys(value).length : 0),
  print: (values) => values.map(print).join(''),
  printf: ([format, ...values]) =>
    String(format).replace(/%[svdq]/g, (verb) => (verb === '%q' ? JSON.stringify(print(values.shift())) : print(values.shift()))),
  urlquery: (values) => encodeURIComponent(values.map(print).join('')),
};

function isTruthy(value: Value): boolean {
  return typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value);
}

function print(value: Value): string {
  return value === undefined ? '<no value>' : String(value);
}
