/**
 * The part of Go's `text/template` that Knative's settings use (`domain-template`, `tag-template`, `container-name-template`,
 * `logging.revision-url-template`): text, `{{.Field.Key}}`, `{{index .Map "key"}}`, `if`/`else`/`end`, pipelines, comments,
 * trimming, and the functions below. Errors read as Go's.
 */

type Term =
  | { readonly kind: 'field'; readonly path: readonly string[]; readonly text: string; readonly at: Position }
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly text: string;
      readonly at: Position;
      readonly arguments: readonly Term[];
    }
  | { readonly kind: 'pipe'; readonly stages: readonly Term[] };

type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly term: Term }
  | {
      readonly kind: 'if';
      readonly term: Term;
      readonly then: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    };

interface Position {
  readonly line: number;
  readonly column: number;
}

export interface GoTemplate {
  readonly name: string;
  readonly nodes: readonly TemplateNode[];
}

/** What a template can name: the fields of a Go struct (unknown ones are an error), their values texts, numbers or maps of texts. */
export interface TemplateData {
  /** The struct's name in error texts, such as `v1.ObjectMeta`. */
  readonly type: string;
  readonly fields: Readonly<Record<string, string | number | boolean | Readonly<Record<string, string>> | undefined>>;
}

type Value = string | number | boolean | Readonly<Record<string, string>> | undefined;

/** A template or its data is wrong; the message is Go's. */
export class TemplateError extends Error {}

interface Token {
  readonly kind: 'text' | 'action';
  readonly text: string;
  readonly at: Position;
}

/** Parses a template; throws `TemplateError`. */
export function parseGoTemplate(name: string, source: string): GoTemplate {
  const tokens = tokenize(name, source);
  const reader = { tokens, at: 0, name };
  const nodes = parseList(reader, false);
  return { name, nodes };
}

function tokenize(name: string, source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  while (at < source.length) {
    const open = source.indexOf('{{', at);
    let text = open < 0 ? source.slice(at) : source.slice(at, open);
    if (trimNext) text = text.trimStart();
    const trimBefore = open >= 0 && /^\{\{-\s/.test(source.slice(open));
    if (trimBefore) text = text.trimEnd();
    if (text !== '') tokens.push({ kind: 'text', text, at: positionOf(source, at) });
    if (open < 0) break;
    const close = closingOf(source, open + 2);
    if (close < 0) throw new TemplateError(`template: ${name}:${positionOf(source, open).line}: unclosed action`);
    const start = open + (trimBefore ? 3 : 2);
    trimNext = /\s-$/.test(source.slice(start, close));
    const body = source.slice(start, trimNext ? close - 1 : close);
    if (!/^\s*\/\*[^]*\*\/\s*$/.test(body)) tokens.push({ kind: 'action', text: body, at: positionOf(source, start) });
    at = close + 2;
  }
  return tokens;
}

/** Where the `}}` of an action is, outside of quotes. */
function closingOf(source: string, from: number): number {
  let quote = '';
  for (let i = from; i < source.length; i++) {
    const char = source.charAt(i);
    if (quote !== '') {
      if (char === '\\' && quote === '"') i++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === '`') quote = char;
    else if (source.startsWith('}}', i)) return i;
  }
  return -1;
}

function positionOf(source: string, index: number): Position {
  const before = source.slice(0, index);
  const newline = before.lastIndexOf('\n');
  return { line: before.split('\n').length, column: index - newline - 1 };
}

interface TokenReader {
  readonly tokens: readonly Token[];
  readonly name: string;
  at: number;
}

function parseList(reader: TokenReader, inside: boolean): TemplateNode[] {
  const nodes: TemplateNode[] = [];
  for (;;) {
    const token = reader.tokens[reader.at];
    if (token === undefined) {
      if (inside) throw new TemplateError(`template: ${reader.name}:${lastLine(reader)}: unexpected EOF`);
      return nodes;
    }
    const word = token.kind === 'action' ? (/^\s*(\w+)/.exec(token.text)?.[1] ?? '') : '';
    if (word === 'end' || word === 'else') {
      if (inside) return nodes;
      throw new TemplateError(`template: ${reader.name}:${token.at.line}: unexpected {{${word}}}`);
    }
    reader.at++;
    if (token.kind === 'text') nodes.push({ kind: 'text', text: token.text });
    else if (word === 'if') nodes.push(parseIf(reader, token));
    else nodes.push({ kind: 'action', term: parsePipeline(reader.name, token.text, token.at) });
  }
}

function parseIf(reader: TokenReader, token: Token): TemplateNode {
  const skipped = token.text.indexOf('if') + 2;
  if (token.text.slice(skipped).trim() === '') {
    throw new TemplateError(`template: ${reader.name}:${token.at.line}: missing value for if`);
  }
  const term = parsePipeline(reader.name, token.text.slice(skipped), { ...token.at, column: token.at.column + skipped });
  const then = parseList(reader, true);
  const next = reader.tokens[reader.at];
  let otherwise: TemplateNode[] = [];
  if (next !== undefined && /^\s*else/.test(next.text)) {
    reader.at++;
    if (/^\s*else\s+if\b/.test(next.text)) {
      const rest = next.text.replace(/^\s*else/, '');
      return { kind: 'if', term, then, otherwise: [parseIf(reader, { ...next, text: rest })] };
    }
    otherwise = parseList(reader, true);
  }
  reader.at++;
  return { kind: 'if', term, then, otherwise };
}

const lastLine = (reader: TokenReader): number => reader.tokens.at(-1)?.at.line ?? 1;

const wordPattern = /\s*(?:("(?:[^"\\]|\\.)*")|(`[^`]*`)|(-?\d+(?:\.\d+)?)|((?:\.\w+)+|\.)|(\w+)|(\()|(\))|(\|)|(\S))/y;

interface WordReader {
  readonly name: string;
  readonly text: string;
  readonly start: Position;
  at: number;
}

function parsePipeline(name: string, text: string, start: Position): Term {
  const reader: WordReader = { name, text: text.trimEnd(), start, at: 0 };
  const term = parseStages(reader, false);
  return term;
}

function parseStages(reader: WordReader, nested: boolean): Term {
  const stages: Term[] = [];
  let words: Term[] = [];
  const finish = (): void => {
    const [first, ...rest] = words;
    if (first === undefined) throw new TemplateError(`template: ${reader.name}:${reader.start.line}: missing value for command`);
    stages.push(first.kind === 'call' ? { ...first, arguments: rest } : first);
    words = [];
  };
  while (reader.at < reader.text.length) {
    wordPattern.lastIndex = reader.at;
    const match = wordPattern.exec(reader.text);
    if (match === null) break;
    const [whole, quoted, raw, numeral, field, word, open, close, bar, other] = match;
    const column = reader.start.column + reader.at + (whole.length - whole.trimStart().length);
    const at = { line: reader.start.line, column };
    reader.at += whole.length;
    if (quoted !== undefined) words.push({ kind: 'literal', value: unquote(quoted) });
    else if (raw !== undefined) words.push({ kind: 'literal', value: raw.slice(1, -1) });
    else if (numeral !== undefined) words.push({ kind: 'literal', value: Number(numeral) });
    else if (field !== undefined) {
      const path = field.split('.').filter((part) => part !== '');
      // Go places a chain of fields at its second one.
      const offset = path.length > 1 ? 1 + (path[0]?.length ?? 0) : 0;
      words.push({ kind: 'field', path, text: field, at: { ...at, column: at.column + offset } });
    } else if (word === 'true' || word === 'false') words.push({ kind: 'literal', value: word === 'true' });
    else if (word !== undefined) words.push(parseFunction(reader, word, at));
    else if (open !== undefined) words.push(parseStages(reader, true));
    else if (close !== undefined && nested) {
      finish();
      return stages.length === 1 && stages[0] !== undefined ? stages[0] : { kind: 'pipe', stages };
    } else if (bar !== undefined) finish();
    else throw new TemplateError(`template: ${reader.name}:${at.line}: unexpected ${JSON.stringify(other ?? ')')} in operand`);
  }
  finish();
  return stages.length === 1 && stages[0] !== undefined ? stages[0] : { kind: 'pipe', stages };
}

function parseFunction(reader: WordReader, word: string, at: Position): Term {
  if (!Object.hasOwn(functions, word)) {
    throw new TemplateError(`template: ${reader.name}:${at.line}: function ${JSON.stringify(word)} not defined`);
  }
  return { kind: 'call', name: word, text: reader.text.trim(), at, arguments: [] };
}

function unquote(text: string): string {
  const value: unknown = JSON.parse(text);
  return typeof value === 'string' ? value : '';
}

const isTruthy = (value: Value): boolean =>
  typeof value === 'object'
    ? Object.keys(value).length > 0
    : value !== undefined && value !== '' && value !== 0 && value !== false;

function print(value: Value): string {
  if (value === undefined) return '<no value>';
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, item]) => `${key}:${item}`).join(' ')}]`;
}

const functions: Readonly<Record<string, (...values: readonly Value[]) => Value>> = {
  index: (map, ...keys) => {
    let value: Value = map;
    for (const key of keys) {
      if (typeof value === 'object') value = Object.hasOwn(value, String(key)) ? value[String(key)] : '';
      else if (value === undefined) value = '';
      else throw new TemplateError(`error calling index: can't index item of type ${typeof value}`);
    }
    return value;
  },
  // These two are evaluated step by step.
  and: (...values) => values.at(-1),
  or: (...values) => values.at(-1),
  not: (value) => !isTruthy(value),
  eq: (first, ...others) => others.includes(first),
  ne: (a, b) => a !== b,
  len: (value) => (typeof value === 'object' ? Object.keys(value).length : String(value ?? '').length),
  print: (...values) => values.map(print).join(''),
  printf: (format, ...values) => {
    let next = 0;
    return String(format).replace(/%([sdvq%])/g, (_, verb: string) => {
      if (verb === '%') return '%';
      const text = print(values[next++]);
      return verb === 'q' ? JSON.stringify(text) : text;
    });
  },
  slice: (text, from, to) => String(text ?? '').slice(Number(from ?? 0), to === undefined ? undefined : Number(to)),
};

/** The text that a template gives for the data; throws `TemplateError`. */
export function executeGoTemplate(template: GoTemplate, data: TemplateData): string {
  return render(template, template.nodes, data);
}

function render(template: GoTemplate, nodes: readonly TemplateNode[], data: TemplateData): string {
  let text = '';
  for (const node of nodes) {
    if (node.kind === 'text') text += node.text;
    else if (node.kind === 'action') text += print(evaluate(template, node.term, data));
    else text += render(template, isTruthy(evaluate(template, node.term, data)) ? node.then : node.otherwise, data);
  }
  return text;
}

function evaluate(template: GoTemplate, term: Term, data: TemplateData, piped?: readonly [Value]): Value {
  switch (term.kind) {
    case 'literal':
      return term.value;
    case 'field':
      return fieldValue(template, term, data);
    case 'pipe': {
      let value: readonly [Value] | undefined;
      for (const stage of term.stages) value = [evaluate(template, stage, data, value)];
      return value?.[0];
    }
    case 'call': {
      if (term.name === 'and' || term.name === 'or') return shortCircuit(template, term, data, piped);
      const values = term.arguments.map((argument) => evaluate(template, argument, data));
      try {
        return functions[term.name]?.(...values, ...(piped ?? []));
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        throw executionError(template, term, error.message);
      }
    }
  }
}

/** `and` and `or` leave the rest alone once they know. */
function shortCircuit(
  template: GoTemplate,
  term: Extract<Term, { kind: 'call' }>,
  data: TemplateData,
  piped: readonly [Value] | undefined,
): Value {
  let value: Value;
  for (const argument of term.arguments) {
    value = evaluate(template, argument, data);
    if (isTruthy(value) === (term.name === 'or')) return value;
  }
  return piped === undefined ? value : piped[0];
}

function fieldValue(template: GoTemplate, term: Extract<Term, { kind: 'field' }>, data: TemplateData): Value {
  const [name, ...keys] = term.path;
  if (name === undefined) return data.type;
  if (!Object.hasOwn(data.fields, name)) {
    throw executionError(template, term, `can't evaluate field ${name} in type ${data.type}`);
  }
  let value: Value = data.fields[name];
  for (const key of keys) {
    if (value !== undefined && typeof value !== 'object') {
      throw executionError(template, term, `can't evaluate field ${key} in type ${typeof value}`);
    }
    value = value !== undefined && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

function executionError(
  template: GoTemplate,
  term: { readonly text: string; readonly at: Position },
  problem: string,
): TemplateError {
  const { line, column } = term.at;
  return new TemplateError(
    `template: ${template.name}:${line}:${column}: executing ${JSON.stringify(template.name)} at <${term.text}>: ${problem}`,
  );
}
