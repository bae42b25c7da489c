/** Query parameters: a text, or several when the name occurs more than once. Made without a prototype's names in it. */
export type Query = Readonly<Record<string, string | readonly string[]>>;

const empty: Query = Object.freeze({});

/** Parses the query of a request target; percent escapes that are no UTF-8 stay as they are. */
export function parseQuery(target: string): Query {
  const mark = target.indexOf('?');
  if (mark < 0 || mark === target.length - 1) return empty;
  const query: Record<string, string | string[]> = {};
  for (const pair of target.slice(mark + 1).split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodeFormText(equals < 0 ? pair : pair.slice(0, equals));
    if (name === '__proto__') continue;
    const value = equals < 0 ? '' : decodeFormText(pair.slice(equals + 1));
    const earlier = Object.hasOwn(query, name) ? query[name] : undefined;
    if (earlier === undefined) query[name] = value;
    else if (typeof earlier === 'string') query[name] = [earlier, value];
    else earlier.push(value);
  }
  return query;
}

/** Text of a form-encoded name or value. */
export function decodeFormText(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
