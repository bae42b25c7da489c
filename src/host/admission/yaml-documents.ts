import { KnativeError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type * as Yaml from 'yaml';

/** Line and column in a file, both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One document of a file. */
export interface SourceDocument {
  /** Position among the documents that are not empty, from 0. */
  readonly index: number;
  /** The plain value; `undefined` when the text is not YAML. */
  readonly value: unknown;
  /** Why the text is not YAML. */
  readonly error?: { readonly message: string; readonly position: Position };
  /** What deserves to be said about the text, such as content after `...` that nobody reads. */
  readonly notes: readonly string[];
  /** Where a field path is in the file; the nearest part of it that is there. */
  locate(path: string): Position;
}

interface Chunk {
  readonly text: string;
  /** Lines of the file before the chunk. */
  readonly lineOffset: number;
}

/**
 * Reads manifests as upstream's tools do: split at lines that start with `---`, YAML 1.1 (`yes` is true, `010` is 8), merge keys and
 * anchors; within a document everything after a `...` line is ignored. Documents without content are left out.
 * Throws `HOST_MANIFEST_TOO_LARGE` beyond the limits.
 */
export async function readDocuments(text: string): Promise<readonly SourceDocument[]> {
  if (text.length > limits.manifestBytesMax) {
    throw new KnativeError('HOST_MANIFEST_TOO_LARGE', `a manifest may have ${limits.manifestBytesMax} bytes`, { status: 413 });
  }
  const chunks = splitChunks(text);
  if (chunks.length > limits.manifestDocumentsMax) {
    throw new KnativeError('HOST_MANIFEST_TOO_LARGE', `a manifest may have ${limits.manifestDocumentsMax} documents`, {
      status: 413,
    });
  }
  const yaml = await import('yaml');
  const documents: SourceDocument[] = [];
  for (const chunk of chunks) {
    const lineCounter = new yaml.LineCounter();
    const body = cutAtEnd(chunk.text);
    const parsed = yaml.parseDocument(body.text, {
      version: '1.1',
      merge: true,
      customTags: withoutTimes,
      lineCounter,
      prettyErrors: false,
      logLevel: 'silent',
    });
    const document = toSource(yaml, chunk, documents.length, parsed, lineCounter, body.ignored);
    if (document !== undefined) documents.push(document);
  }
  return documents;
}

function splitChunks(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let lines: string[] = [];
  let lineOffset = 0;
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .forEach((line, number) => {
      if (!line.startsWith('---')) {
        lines.push(line);
        return;
      }
      chunks.push({ text: lines.join('\n'), lineOffset });
      // What follows on the line of the dashes belongs to the document.
      lines = [line.slice(3)];
      lineOffset = number;
    });
  chunks.push({ text: lines.join('\n'), lineOffset });
  return chunks.filter((chunk) => !isBlank(chunk.text));
}

const isBlank = (text: string): boolean =>
  text.split('\n').every((line) => line.trim() === '' || line.trimStart().startsWith('#'));

function cutAtEnd(text: string): { readonly text: string; readonly ignored: boolean } {
  const match = /^\.\.\.([ \t].*)?$/m.exec(text);
  if (match === null) return { text, ignored: false };
  return { text: text.slice(0, match.index), ignored: !isBlank(text.slice(match.index + match[0].length)) };
}

function toSource(
  yaml: typeof Yaml,
  chunk: Chunk,
  index: number,
  parsed: Yaml.Document.Parsed,
  lineCounter: Yaml.LineCounter,
  ignored: boolean,
): SourceDocument | undefined {
  const positionOf = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: chunk.lineOffset + line, column: col };
  };
  const locate = (path: string): Position => positionOf(offsetOf(yaml, parsed, path));
  const notes = ignored ? ['everything after the line "..." is not part of the document and is ignored'] : [];
  const base = { index, notes, locate };
  const [fault] = parsed.errors;
  if (fault !== undefined) {
    return { ...base, value: undefined, error: { message: fault.message, position: positionOf(fault.pos[0]) } };
  }
  cutMissingLineBreak(yaml, parsed, chunk.text);
  let value: unknown;
  try {
    value = parsed.toJS({ maxAliasCount: 1_000 });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ...base, value: undefined, error: { message, position: positionOf(0) } };
  }
  return value === null || value === undefined ? undefined : { ...base, value };
}

/** A block text at the very end of a document without a final line break has none, as Go's parser has it. */
function cutMissingLineBreak(yaml: typeof Yaml, parsed: Yaml.Document.Parsed, text: string): void {
  if (text.endsWith('\n')) return;
  let node: unknown = parsed.contents;
  for (;;) {
    if (yaml.isMap(node)) node = node.items.at(-1)?.value;
    else if (yaml.isSeq(node)) node = node.items.at(-1);
    else break;
  }
  if (!yaml.isScalar(node) || typeof node.value !== 'string') return;
  const isBlock = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
  if (isBlock && node.value.endsWith('\n')) node.value = node.value.slice(0, -1);
}

/** Times of day and dates stay texts, as for Go's parser: `12:30` is not 750. */
function withoutTimes(tags: Yaml.Tags): Yaml.Tags {
  return tags.filter(
    (tag) =>
      typeof tag === 'string' || ((!('format' in tag) || tag.format !== 'TIME') && tag.tag !== 'tag:yaml.org,2002:timestamp'),
  );
}

/** Keys may have dots in them, so at each map the longest key that the rest of the path starts with is taken. */
function offsetOf(yaml: typeof Yaml, document: Yaml.Document.Parsed, path: string): number {
  let node: Yaml.Node | null = document.contents;
  let offset = startOf(node);
  let rest = path;
  while (rest !== '' && node !== null) {
    const step = nextStep(yaml, node, rest);
    if (step === undefined) break;
    node = step.node;
    offset = step.offset;
    rest = step.rest;
  }
  return offset;
}

const startOf = (node: Yaml.Node | null): number => node?.range?.[0] ?? 0;

interface Step {
  readonly node: Yaml.Node | null;
  readonly offset: number;
  readonly rest: string;
}

function nextStep(yaml: typeof Yaml, node: Yaml.Node, path: string): Step | undefined {
  if (yaml.isSeq(node)) {
    const match = /^\[(\d+)\]\.?/.exec(path);
    const item = match?.[1] === undefined ? undefined : node.items[Number(match[1])];
    if (match === null || !yaml.isNode(item)) return undefined;
    return { node: item, offset: startOf(item), rest: path.slice(match[0].length) };
  }
  if (!yaml.isMap(node)) return undefined;
  let best: Step | undefined;
  let bestLength = 0;
  for (const pair of node.items) {
    const key: unknown = pair.key;
    const name = yaml.isScalar(key) ? String(key.value) : '';
    for (const form of [name, `['${name}']`, `[${name}]`]) {
      const ends = path.length === form.length || path[form.length] === '.' || path[form.length] === '[';
      if (name === '' || form.length <= bestLength || !path.startsWith(form) || !ends) continue;
      const value: unknown = pair.value;
      best = {
        node: yaml.isNode(value) ? value : null,
        offset: yaml.isNode(key) ? startOf(key) : 0,
        rest: path.slice(form.length).replace(/^\./, ''),
      };
      bestLength = form.length;
    }
  }
  return best;
}
