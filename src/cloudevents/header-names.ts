import { isAttributeName } from './attribute-rules.ts';

// What header names mean to the HTTP binding.

export const ignoredSlot = 0;
export const extensionSlot = 1;
export const badNameSlot = 2;
export const contentTypeSlot = 3;
export const specversionSlot = 4;
export const idSlot = 5;
export const sourceSlot = 6;
export const typeSlot = 7;
export const subjectSlot = 8;
export const timeSlot = 9;
export const dataschemaSlot = 10;
/** `ce-datacontenttype`: not part of the binding, the content type travels in Content-Type. */
export const datacontenttypeSlot = 11;
/** `ce-data`: no attribute can be called so, yet upstream takes it for an extension. */
export const dataSlot = 12;

/** What a header means: which attribute, and its name. */
export interface HeaderName {
  readonly slot: number;
  readonly name: string;
}

const slots = new Map<string, number>([
  ['specversion', specversionSlot],
  ['id', idSlot],
  ['source', sourceSlot],
  ['type', typeSlot],
  ['subject', subjectSlot],
  ['time', timeSlot],
  ['dataschema', dataschemaSlot],
  ['datacontenttype', datacontenttypeSlot],
  ['data', dataSlot],
]);

// Spelling as received → meaning, so that lower-casing and checking happen once per spelling. Bounded, because peers choose the
// spellings; what finds no room is worked out each time.
const known = new Map<string, HeaderName>();
const knownMax = 4_096;
const lengthMax = 64;

export function headerNameOf(raw: string): HeaderName {
  const found = known.get(raw);
  if (found !== undefined) return found;
  const meaning = meaningOf(raw.toLowerCase());
  if (known.size < knownMax && raw.length <= lengthMax) known.set(raw, meaning);
  return meaning;
}

function meaningOf(lower: string): HeaderName {
  if (lower === 'content-type') return { slot: contentTypeSlot, name: 'datacontenttype' };
  if (!lower.startsWith('ce-')) return { slot: ignoredSlot, name: '' };
  const name = lower.slice(3);
  return { slot: slots.get(name) ?? (isAttributeName(name) ? extensionSlot : badNameSlot), name };
}
