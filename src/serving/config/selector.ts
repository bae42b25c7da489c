import type { StringMap } from '../metadata.ts';

/** A name with the labels that an object needs to get it. */
export interface LabelSelection {
  readonly name: string;
  readonly selector: StringMap;
}

/**
 * The label selectors in a small YAML text such as `selector:` with indented `key: value` lines, by the key that holds them; nested
 * one level deeper (`name:` over `selector:`) they come as `name/selector`. Flow mappings in braces are read too. This is the
 * whole language that config-domain and `runtime-class-name` use, read without loading a YAML library into pure code.
 */
export function readSelectors(text: string): Record<string, StringMap> {
  const found: Record<string, Record<string, string>> = {};
  const stack: { indent: number; key: string }[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\s*)("[^"]*"|'[^']*'|[^\s:#][^:]*):(?:\s+(.*))?$/.exec(line.replace(/\s+#.*$/, '').trimEnd());
    if (match?.[2] === undefined) continue;
    const indent = (match[1] ?? '').length;
    const key = unquote(match[2]);
    const value = match[3] ?? '';
    while ((stack.at(-1)?.indent ?? -1) >= indent) stack.pop();
    const path = stack.map((level) => level.key).join('/');
    if (value === '') {
      stack.push({ indent, key });
      const own = path === '' ? key : `${path}/${key}`;
      if (key === 'selector' || path === '') found[own] ??= {};
    } else if (value.startsWith('{') && value.endsWith('}')) {
      found[path === '' ? key : `${path}/${key}`] = readFlow(value);
    } else (found[path] ??= {})[key] = unquote(value);
  }
  return found;
}

function readFlow(text: string): Record<string, string> {
  const map: Record<string, string> = {};
  for (const part of text.slice(1, -1).split(',')) {
    const colon = part.indexOf(':');
    if (colon > 0) map[unquote(part.slice(0, colon).trim())] = unquote(part.slice(colon + 1).trim());
  }
  return map;
}

function unquote(text: string): string {
  const trimmed = text.trim();
  const quote = trimmed[0];
  return (quote === '"' || quote === "'") && trimmed.endsWith(quote) && trimmed.length > 1 ? trimmed.slice(1, -1) : trimmed;
}
