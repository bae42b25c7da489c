import { formatGoFloat } from './autoscaling/go-values.ts';
import { ConfigFault } from './config-reader.ts';

/**
 * The YAML that stands inside of config-map values (`config-domain`, `runtime-class-name`): block maps, flow maps and lists, plain and
 * quoted texts, comments. Manifests are read by the full parser at the host's edge; this one is pure and synchronous. Scalars stay
 * texts, flags become `true` or `false` and numbers decimal in all their spellings. Throws `ConfigFault` with the words that Go's parser would use for what it cannot read.
 */
export type SmallYaml = string | undefined | readonly SmallYaml[] | { readonly [key: string]: SmallYaml };

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

export function parseSmallYaml(source: string): SmallYaml {
  const lines = source.split('\n').flatMap((raw, index): Line[] => {
    const text = withoutComment(raw).trimEnd();
    const indent = text.length - text.trimStart().length;
    return text.trim() === '' || text.trim() === '---' ? [] : [{ number: index + 1, indent, text: text.trim() }];
  });
  const reader = { lines, at: 0 };
  const [first] = lines;
  if (first === undefined) return undefined;
  const value = parseBlock(reader, first.indent);
  const rest = lines[reader.at];
  if (rest !== undefined) throw fault(rest.number, 'did not find expected key');
  return value;
}

const fault = (line: number, problem: string): ConfigFault =>
  new ConfigFault(`error converting YAML to JSON: yaml: line ${line}: ${problem}`);

/** A comment starts with `#` at the beginning or after a space, outside of quotes. */
function withoutComment(text: string): string {
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if ((char === '"' || char === "'") && /(^|[\s:,[{])$/.test(text.slice(0, i))) quote = char;
    else if (char === '#' && (i === 0 || /\s/.test(text.charAt(i - 1)))) return text.slice(0, i);
  }
  return text;
}

interface LineReader {
  readonly lines: readonly Line[];
  at: number;
}

const keyPattern = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s:'"[{][^:]*?|[^\s'"[{]\S*?)\s*:(?:\s+(.*))?$/;

function parseBlock(reader: LineReader, indent: number): SmallYaml {
  const [first] = reader.lines.slice(reader.at, reader.at + 1);
  if (first === undefined) return undefined;
  if (first.text.startsWith('- ') || first.text === '-') return parseList(reader, indent);
  if (keyPattern.exec(first.text) === null || /^[[{]/.test(first.text)) {
    reader.at++;
    return parseInline(first.text, first.number);
  }
  const map: Record<string, SmallYaml> = {};
  for (;;) {
    const line = reader.lines[reader.at];
    if (line === undefined || line.indent < indent) return map;
    const match = line.indent === indent ? keyPattern.exec(line.text) : null;
    if (match?.[1] === undefined) throw fault(line.number, "could not find expected ':'");
    reader.at++;
    map[scalar(match[1])] = parseValue(reader, match[2] ?? '', indent, line.number);
  }
}

function parseValue(reader: LineReader, text: string, indent: number, line: number): SmallYaml {
  if (text !== '') return parseInline(text, line);
  const next = reader.lines[reader.at];
  if (next === undefined) return undefined;
  const isNested = next.indent > indent || (next.indent === indent && /^-(\s|$)/.test(next.text));
  return isNested ? parseBlock(reader, next.indent) : undefined;
}

function parseList(reader: LineReader, indent: number): SmallYaml {
  const list: SmallYaml[] = [];
  for (;;) {
    const line = reader.lines[reader.at];
    if (line === undefined || line.indent !== indent || !/^-(\s|$)/.test(line.text)) return list;
    const text = line.text.slice(1).trim();
    if (text !== '' && !/^[[{"']/.test(text) && keyPattern.test(text)) {
      // A map that starts behind the dash: its keys stand in the column of the first one.
      const column = line.indent + line.text.length - text.length;
      const item = { lines: [{ ...line, indent: column, text }, ...reader.lines.slice(reader.at + 1)], at: 0 };
      list.push(parseBlock(item, column));
      reader.at += item.at;
      continue;
    }
    reader.at++;
    list.push(parseInline(text, line.number));
  }
}

/** A value on one line: a flow collection or a text. */
function parseInline(text: string, line: number): SmallYaml {
  if (/^[^"'[{].*?:(\s|$)/.test(text)) throw fault(line, 'mapping values are not allowed in this context');
  if (!/^[[{]/.test(text)) return text === '' || text === '~' || text === 'null' ? undefined : scalar(text);
  const tokens = text.match(/[[\]{},:]|"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^[\]{},:\s][^[\]{},:]*/g) ?? [];
  const reader = { tokens, at: 0, line };
  return parseFlow(reader);
}

interface TokenReader {
  readonly tokens: readonly string[];
  readonly line: number;
  at: number;
}

function parseFlow(reader: TokenReader): SmallYaml {
  const token = reader.tokens[reader.at++];
  if (token === '[') {
    const list: SmallYaml[] = [];
    while (reader.tokens[reader.at] !== ']') {
      list.push(parseFlow(reader));
      separator(reader, ']');
    }
    reader.at++;
    return list;
  }
  if (token === '{') {
    const map: Record<string, SmallYaml> = {};
    while (reader.tokens[reader.at] !== '}') {
      const key = reader.tokens[reader.at++] ?? '';
      let value: SmallYaml;
      if (reader.tokens[reader.at] === ':') {
        reader.at++;
        if (reader.tokens[reader.at] !== ',' && reader.tokens[reader.at] !== '}') value = parseFlow(reader);
      }
      map[scalar(key.trim())] = value;
      separator(reader, '}');
    }
    reader.at++;
    return map;
  }
  return token === undefined ? undefined : scalar(token.trim());
}

function separator(reader: TokenReader, close: ']' | '}'): void {
  const token = reader.tokens[reader.at];
  if (token === ',') reader.at++;
  else if (token !== close) throw fault(reader.line, `did not find expected ',' or '${close}'`);
}

/** YAML 1.1 has many words for a flag; where a text is wanted Go gets `true` or `false`. Quoted words stay as they are. */
function scalar(text: string): string {
  if (/^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return 'true';
  if (/^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return 'false';
  if (/^[-+0-9.]/.test(text)) return numberText(text);
  if (text.startsWith("'") && text.endsWith("'") && text.length > 1) return text.slice(1, -1).replaceAll("''", "'");
  if (!text.startsWith('"') || !text.endsWith('"') || text.length < 2) return text;
  return text.slice(1, -1).replace(/\\(["\\])/g, '$1');
}

/** The decimal text of a plain number (`010` is octal, `1.10` is `1.1`), other words as they are. */
function numberText(text: string): string {
  const plain = text.startsWith('.') ? text : text.replaceAll('_', '');
  const [, sign = '', digits = ''] = /^([-+]?)(0x[0-9a-fA-F]+|0b[01]+|0o?[0-7]*|[1-9][0-9]*)$/.exec(plain) ?? [];
  if (digits !== '' && digits !== '0o') {
    const value = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
    if (sign === '-' ? value <= 1n << 63n : value < 1n << 64n) return String(sign === '-' ? -value : value);
  }
  if (!/^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/.test(plain)) return text;
  return Number.isFinite(Number(plain)) ? formatGoFloat(shortestSingle(Number(plain))) : text;
}

/** The number with the fewest digits that a 32-bit float cannot tell from the given one: texts are made with that precision. */
function shortestSingle(value: number): number {
  const single = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return short;
  }
  return Number(single.toPrecision(9));
}
