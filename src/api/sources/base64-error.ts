/** Go's error for text that is not standard Base64 with padding (`base64.StdEncoding`), `undefined` for text that is. Line breaks are skipped. */
export function base64Error(text: string): string | undefined {
  const at = (index: number): string => `illegal base64 data at input byte ${index}`;
  let group = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? '';
    if (char === '\r' || char === '\n') continue;
    if (/[A-Za-z0-9+/]/.test(char)) {
      group = (group + 1) % 4;
      continue;
    }
    if (char !== '=' || group < 2) return at(index);
    return paddingError(text, index, group, at);
  }
  return group === 0 ? undefined : at(text.length - group);
}

// `index` is that of the first padding character in a group of which `group` characters have been read.
function paddingError(text: string, index: number, group: number, at: (index: number) => string): string | undefined {
  let next = skipBreaks(text, index + 1);
  if (group === 2) {
    if (next === text.length) return at(text.length);
    if (text[next] !== '=') return at(next - 1);
    next = skipBreaks(text, next + 1);
  }
  return next < text.length ? at(next) : undefined;
}

function skipBreaks(text: string, from: number): number {
  let index = from;
  while (text[index] === '\r' || text[index] === '\n') index++;
  return index;
}
