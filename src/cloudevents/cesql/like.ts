/** One step of a pattern: a literal code unit, any one character, or any run of characters. */
const anyOne = -1;
const anyRun = -2;

/** Tells whether a text matches a LIKE pattern. */
export type LikeMatcher = (text: string) => boolean;

/**
 * Compiles a LIKE pattern: `%` is any run of characters, `_` any one character (code point), `\%` and `\_` are the characters
 * themselves, everything else stands for itself.
 */
export function compileLike(pattern: string): LikeMatcher {
  if (!/[\\_]/.test(pattern)) {
    const at = pattern.indexOf('%');
    if (at >= 0 && at === pattern.length - 1) {
      const prefix = pattern.slice(0, at);
      return (text) => text.startsWith(prefix);
    }
  }
  return compileSteps(pattern);
}

function compileSteps(pattern: string): LikeMatcher {
  const steps = stepsOf(pattern);
  const first = steps.indexOf(anyRun);
  const last = steps.lastIndexOf(anyRun);
  if (steps.includes(anyOne)) return (text) => matchSteps(text, steps);
  if (first < 0) {
    const whole = textOf(steps, 0, steps.length);
    return (text) => text === whole;
  }
  const prefix = textOf(steps, 0, first);
  const suffix = textOf(steps, last + 1, steps.length);
  const middle = middleParts(steps, first, last);
  if (middle.length > 0) return (text) => matchParts(text, prefix, middle, suffix);
  if (suffix === '') return (text) => text.startsWith(prefix);
  if (prefix === '') return (text) => text.endsWith(suffix);
  return (text) => text.length >= prefix.length + suffix.length && text.startsWith(prefix) && text.endsWith(suffix);
}

/** What a pattern asks for when it has at most one `%`, at an end, and no `_`: what an index of values can answer. */
export interface LikeShape {
  readonly kind: 'exact' | 'prefix' | 'suffix';
  readonly text: string;
}

export function shapeOfLike(pattern: string): LikeShape | undefined {
  const steps = stepsOf(pattern);
  if (steps.includes(anyOne)) return undefined;
  const first = steps.indexOf(anyRun);
  if (first < 0) return { kind: 'exact', text: textOf(steps, 0, steps.length) };
  if (first !== steps.lastIndexOf(anyRun)) return undefined;
  if (first === steps.length - 1) return { kind: 'prefix', text: textOf(steps, 0, first) };
  return first === 0 ? { kind: 'suffix', text: textOf(steps, 1, steps.length) } : undefined;
}

function stepsOf(pattern: string): number[] {
  const steps: number[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const code = pattern.charCodeAt(i);
    const next = pattern.charCodeAt(i + 1);
    if (code === 0x5c && (next === 0x25 || next === 0x5f)) {
      steps.push(next);
      i++;
    } else if (code === 0x25) {
      if (steps[steps.length - 1] !== anyRun) steps.push(anyRun);
    } else steps.push(code === 0x5f ? anyOne : code);
  }
  return steps;
}

function textOf(steps: readonly number[], start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(steps[i] ?? 0);
  return text;
}

function middleParts(steps: readonly number[], first: number, last: number): string[] {
  const parts: string[] = [];
  let start = first + 1;
  for (let i = start; i <= last; i++) {
    if (steps[i] !== anyRun) continue;
    parts.push(textOf(steps, start, i));
    start = i + 1;
  }
  return parts;
}

function matchParts(text: string, prefix: string, middle: readonly string[], suffix: string): boolean {
  const end = text.length - suffix.length;
  if (end < prefix.length || !text.startsWith(prefix) || !text.endsWith(suffix)) return false;
  let at = prefix.length;
  for (const part of middle) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= end;
}

/** Greedy match with one point of return, the last `%`: at most text times pattern steps. */
function matchSteps(text: string, steps: readonly number[]): boolean {
  let at = 0;
  let step = 0;
  let returnStep = -1;
  let returnAt = 0;
  while (at < text.length) {
    const wanted = steps[step];
    const code = text.charCodeAt(at);
    if (wanted === code) {
      at++;
      step++;
    } else if (wanted === anyOne) {
      at += characterSize(text, at, code);
      step++;
    } else if (wanted === anyRun) {
      returnStep = ++step;
      returnAt = at;
    } else if (returnStep >= 0) {
      returnAt += characterSize(text, returnAt, text.charCodeAt(returnAt));
      at = returnAt;
      step = returnStep;
    } else return false;
  }
  while (steps[step] === anyRun) step++;
  return step === steps.length;
}

/** Code units of the character at a position. */
function characterSize(text: string, at: number, code: number): number {
  return (code & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00 ? 2 : 1;
}

/**
 * The reference engine's matching: `_` is one byte, and an escape that does not match is tried once more as a backslash and a
 * wildcard.
 */
export function compileLikeUpstream(pattern: string): LikeMatcher {
  const bytes = latin1Of(pattern);
  return (text) => matchUpstream(latin1Of(text), bytes);
}

/** The bytes of a text as a string of one code unit per byte. */
function latin1Of(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function matchUpstream(text: string, pattern: string): boolean {
  let at = 0;
  let step = 0;
  let returnStep = -1;
  let returnAt = 0;
  while (at < text.length) {
    const wanted = pattern.charCodeAt(step);
    const code = text.charCodeAt(at);
    if (wanted === 0x5c && (code === 0x25 || code === 0x5f) && pattern.charCodeAt(step + 1) === code) {
      at++;
      step += 2;
    } else if (wanted === 0x5f || wanted === code) {
      at++;
      step++;
    } else if (wanted === 0x25) {
      returnStep = ++step;
      returnAt = at;
    } else if (returnStep >= 0) {
      at = ++returnAt;
      step = returnStep;
    } else return false;
  }
  while (pattern.charCodeAt(step) === 0x25) step++;
  return step === pattern.length;
}
