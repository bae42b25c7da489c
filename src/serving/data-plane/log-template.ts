/**
 * The part of Go's text/template that request log templates use: fields and methods of the log's values, `index`, `js`, `html`,
 * `urlquery`, `printf`, comparisons, `if`/`else`/`end` and pipelines. Unlike the templates of config maps it knows values with fixed
 * fields, where an unknown name is an error, and lists.
 */

/** A value with fixed fields. */
export class Fields {
  readonly entries: ReadonlyMap<string, LogValue>;
  readonly text: string | undefined;
  constructor(entries: Readonly<Record<string, LogValue>>, text?: string) {
    this.entries = new Map(Object.entries(entries));
    this.text = text;
  }
}

export type LogValue =
  string | number | boolean | undefined | readonly string[] | ReadonlyMap<string, readonly string[]> | Fields;

type Evaluate = (root: Fields) => LogValue;
type Render = (root: Fields, out: string[]) => void;

/** A mistake in a template, or one that shows when it runs. */
export class LogTemplateError extends Error {}

/**
 * Compiles a template; throws LogTemplateError when it cannot be read. The result appends to `out` and throws it when a value does not
 * fit: what came before has been appended then, as Go has written it.
 */
export function compileLogTemplate(source: string): Render {
  const parser: Parser = { pieces: split(source), at: 0 };
  const render = parseBlock(parser, 0);
  if (parser.at < parser.pieces.length) throw new LogTemplateError('unexpected {{end}}');
  return render;
}

interface Piece {
  readonly text: string;
  readonly action: boolean;
}

interface Parser {
  readonly pieces: readonly Piece[];
  at: number;
}

function split(source: string): Piece[] {
  const pieces: Piece[] = [];
  const action = /\{\{(-\s)?\s*(\/\*[\s\S]*?\*\/|(?:"(?:[^"\\]|\\.)*"|`[^`]*`|[^}"`])*?)\s*(\s-)?\}\}/g;
  let at = 0;
  let trim = false;
  for (const match of source.matchAll(action)) {
    let text = source.slice(at, match.index);
    if (trim) text = text.trimStart();
    if (match[1] !== undefined) text = text.trimEnd();
    pieces.push({ text, action: false });
    const body = match[2] ?? '';
    if (!body.startsWith('/*')) pieces.push({ text: body, action: true });
    trim = match[3] !== undefined;
    at = match.index + match[0].length;
  }
  const rest = source.slice(at);
  if (rest.includes('{{')) throw new LogTemplateError('unclosed action');
  pieces.push({ text: trim ? rest.trimStart() : rest, action: false });
  return pieces;
}

function parseBlock(parser: Parser, depth: number): Render {
  const parts: Render[] = [];
  for (;;) {
    const piece = parser.pieces[parser.at];
    if (piece === undefined) {
      if (depth > 0) throw new LogTemplateError('unexpected EOF');
      break;
    }
    if (piece.action && /^(end|else)\b/.test(piece.text)) {
      if (depth === 0) throw new LogTemplateError(`unexpected {{${piece.text}}}`);
      break;
    }
    parser.at++;
    if (!piece.action) parts.push((_root, out) => void out.push(piece.text));
    else if (/^if\s/.test(piece.text)) parts.push(parseIf(parser, piece.text.slice(2), depth));
    else {
      const evaluate = parsePipeline(piece.text);
      parts.push((root, out) => void out.push(print(evaluate(root))));
    }
  }
  return (root, out) => {
    for (const part of parts) part(root, out);
  };
}

function parseIf(parser: Parser, condition: string, depth: number): Render {
  const test = parsePipeline(condition);
  const then = parseBlock(parser, depth + 1);
  const close = parser.pieces[parser.at++]?.text ?? '';
  let otherwise: Render = () => undefined;
  if (/^else\s+if\s/.test(close)) otherwise = parseIf(parser, close.replace(/^else\s+if/, ''), depth);
  else if (close === 'else') {
    otherwise = parseBlock(parser, depth + 1);
    parser.at++;
  }
  return (root, out) => (truthy(test(root)) ? then(root, out) : otherwise(root, out));
}

const token = /\s*("(?:[^"\\]|\\.)*"|`[^`]*`|[|()]|\.(?:\w+(?:\.\w+)*)?|-?\d+(?:\.\d+)?|\w+)/y;

function parsePipeline(text: string): Evaluate {
  const tokens: string[] = [];
  const source = text.trim();
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const from = token.lastIndex;
    const found = token.exec(source)?.[1];
    if (found === undefined) throw new LogTemplateError(`unexpected ${JSON.stringify(source.slice(from, from + 1))} in command`);
    tokens.push(found);
  }
  const evaluate = parseCommands(tokens);
  if (tokens.length > 0) throw new LogTemplateError(`unexpected ${JSON.stringify(tokens[0])} in command`);
  return evaluate;
}

function parseCommands(tokens: string[]): Evaluate {
  let evaluate = parseCommand(tokens, undefined);
  while (tokens[0] === '|') {
    tokens.shift();
    evaluate = parseCommand(tokens, evaluate);
  }
  return evaluate;
}

function parseCommand(tokens: string[], piped: Evaluate | undefined): Evaluate {
  const first = tokens[0] ?? '';
  const name =
    /^[A-Za-z_]\w*$/.test(first) && first !== 'true' && first !== 'false' && first !== 'nil' ? tokens.shift() : undefined;
  const operands: Evaluate[] = [];
  while (tokens[0] !== undefined && tokens[0] !== '|' && tokens[0] !== ')') operands.push(parseOperand(tokens));
  if (piped !== undefined) operands.push(piped);
  if (name === undefined) {
    const [only] = operands;
    if (only === undefined || (piped !== undefined && operands.length === 1))
      throw new LogTemplateError('missing value for command');
    if (operands.length > 1) throw new LogTemplateError("can't give argument to non-function");
    return only;
  }
  const run = functions.get(name);
  if (run === undefined) throw new LogTemplateError(`function ${JSON.stringify(name)} not defined`);
  return (root) => run(operands.map((operand) => operand(root)));
}

function parseOperand(tokens: string[]): Evaluate {
  const text = tokens.shift() ?? '';
  if (text === '(') {
    const inner = parseCommands(tokens);
    if (tokens.shift() !== ')') throw new LogTemplateError('unclosed left paren');
    return inner;
  }
  if (text.startsWith('"')) {
    const value: unknown = JSON.parse(text);
    return () => String(value);
  }
  if (text.startsWith('`')) return () => text.slice(1, -1);
  if (text === 'true' || text === 'false') return () => text === 'true';
  if (text === 'nil') return () => undefined;
  if (/^-?\d/.test(text)) return () => Number(text);
  if (!text.startsWith('.')) throw new LogTemplateError(`function ${JSON.stringify(text)} not defined`);
  const path = text.split('.').filter((part) => part !== '');
  return (root) => path.reduce<LogValue>(fieldOf, root);
}

function fieldOf(value: LogValue, field: string): LogValue {
  if (value instanceof Fields) {
    if (value.entries.has(field)) return value.entries.get(field);
  } else if (value instanceof Map) return (value as ReadonlyMap<string, readonly string[]>).get(field);
  throw new LogTemplateError(`can't evaluate field ${field}`);
}

const jsEscapes: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '"': '\\"' };
const htmlEscapes: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  "'": '&#39;',
  '"': '&#34;',
  '\0': '\uFFFD',
};

const functions: ReadonlyMap<string, (values: readonly LogValue[]) => LogValue> = new Map([
  ['index', (values) => indexOf(values)],
  ['js', (values) => text(values).replace(/[\\'"<>&=\x00-\x1f]/g, (c) => jsEscapes[c] ?? unicodeEscape(c))],
  ['html', (values) => text(values).replace(/[<>&'"\0]/g, (c) => htmlEscapes[c] ?? c)],
  [
    'urlquery',
    (values) =>
      encodeURIComponent(text(values))
        .replace(/%20/g, '+')
        .replace(/[!'()*]/g, percentEscape),
  ],
  ['len', ([value]) => lengthOf(value)],
  ['print', (values) => text(values)],
  ['println', (values) => `${values.map(print).join(' ')}\n`],
  ['printf', ([format, ...values]) => formatValues(String(format), values)],
  ['eq', ([first, ...others]) => others.some((other) => other === first)],
  ['ne', ([a, b]) => a !== b],
  ['lt', ([a, b]) => compare(a, b) < 0],
  ['le', ([a, b]) => compare(a, b) <= 0],
  ['gt', ([a, b]) => compare(a, b) > 0],
  ['ge', ([a, b]) => compare(a, b) >= 0],
  ['not', ([value]) => !truthy(value)],
  ['and', (values) => values.find((value) => !truthy(value)) ?? values.at(-1)],
  ['or', (values) => values.find(truthy) ?? values.at(-1)],
] satisfies [string, (values: readonly LogValue[]) => LogValue][]);

const unicodeEscape = (c: string): string => `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
const percentEscape = (c: string): string => `%${c.charCodeAt(0).toString(16).toUpperCase()}`;

function indexOf([collection, ...keys]: readonly LogValue[]): LogValue {
  return keys.reduce<LogValue>((value, key) => {
    if (value instanceof Map) return (value as ReadonlyMap<string, readonly string[]>).get(String(key)) ?? [];
    if (Array.isArray(value) && typeof key === 'number') {
      if (key < 0 || key >= value.length) throw new LogTemplateError(`index out of range: ${key}`);
      return String(value[key]);
    }
    throw new LogTemplateError("can't index item");
  }, collection);
}

function lengthOf(value: LogValue): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  throw new LogTemplateError('len of a value without a length');
}

function compare(a: LogValue, b: LogValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  throw new LogTemplateError('incompatible types for comparison');
}

function formatValues(format: string, values: readonly LogValue[]): string {
  let next = 0;
  return format.replace(/%(?:%|(\.\d+)?([vsdqf]))/g, (verb, precision: string | undefined, kind: string | undefined) => {
    if (kind === undefined) return '%';
    const value = values[next++];
    if (kind === 'q') return JSON.stringify(print(value));
    if (kind === 'f' && typeof value === 'number') return value.toFixed(Number(precision?.slice(1) ?? 6));
    return verb === '' ? '' : print(value);
  });
}

function text(values: readonly LogValue[]): string {
  return values.map(print).join('');
}

function truthy(value: LogValue): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return value instanceof Fields || Boolean(value);
}

function print(value: LogValue): string {
  if (value === undefined) return '<no value>';
  if (Array.isArray(value)) return `[${value.join(' ')}]`;
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<string, readonly string[]>)].sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([name, items]) => `${name}:[${items.join(' ')}]`).join(' ')}]`;
  }
  if (value instanceof Fields) return value.text ?? '{...}';
  return String(value);
}
