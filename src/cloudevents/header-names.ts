import { isAttributeName } from './attribute-rules.ts';

// What header names mean to the HTTP binding.

export const ignoredSlot = 0;
export const extensionSlot = 1;
export const contentTypeSlot = 2;
export const specversionSlot = 3;
export const idSlot = 4;
export const sourceSlot = 5;
export const typeSlot = 6;
export const subjectSlot = 7;
export const timeSlot = 8;
export const dataschemaSlot = 9;
/** From here on: names that are wrong, for the specification, for upstream, or for both. */
export const oddSlot = 10;
export const badNameSlot = 10;
/** `ce-datacontenttype`: not part of the binding, the content type travels in Content-Type. */
export const datacontenttypeSlot = 11;
/** `ce-data`: no attribute can be called so, yet upstream takes it for an extension. */
export const dataSlot = 12;

/** What a header means: which attribute, and its name. */
export interface HeaderName {
  readonly slot: number;
  readonly name: string;
  /** The spelling as received. */
  readonly raw: string;
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

const contentType = meaningOf('content-type');
const specversion = meaningOf('ce-specversion');
const id = meaningOf('ce-id');
const source = meaningOf('ce-source');
const type = meaningOf('ce-type');
const subject = meaningOf('ce-subject');
const time = meaningOf('ce-time');

// Meanings by spelling as received, so that lower-casing and checking happen once per spelling. A place is chosen by length and three
// characters: comparing with the spelling that is there is much faster than hashing a string that is new with each request. Peers
// choose the spellings, so places are limited and the newest spelling takes its place.
const placeCount = 1_024;
const places: HeaderName[] = Array.from({ length: placeCount }, () => ({ slot: ignoredSlot, name: '', raw: '' }));
const lengthMax = 64;

/** What a header name means. The usual spelling of the usual names is told by one comparison. */
export function headerNameOf(raw: string): HeaderName {
  switch (raw.length) {
    case 5:
      return raw === 'ce-id' ? id : lookUp(raw);
    case 7:
      return raw === 'ce-type' ? type : raw === 'ce-time' ? time : lookUp(raw);
    case 9:
      return raw === 'ce-source' ? source : lookUp(raw);
    case 10:
      return raw === 'ce-subject' ? subject : lookUp(raw);
    case 12:
      return raw === 'content-type' ? contentType : lookUp(raw);
    case 14:
      return raw === 'ce-specversion' ? specversion : lookUp(raw);
    default:
      return lookUp(raw);
  }
}

function lookUp(raw: string): HeaderName {
  const length = raw.length;
  const start = raw.charCodeAt(0) * 37 + raw.charCodeAt(3) * 13;
  const place = (length * 7 + start + raw.charCodeAt(length - 2) * 101 + raw.charCodeAt(length - 1) * 5) & (placeCount - 1);
  const found = places[place];
  if (found !== undefined && found.raw === raw) return found;
  const meaning = meaningOf(raw);
  if (length <= lengthMax) places[place] = meaning;
  return meaning;
}

function meaningOf(raw: string): HeaderName {
  const lower = raw.toLowerCase();
  if (lower === 'content-type') return { slot: contentTypeSlot, name: 'datacontenttype', raw };
  if (!lower.startsWith('ce-')) return { slot: ignoredSlot, name: '', raw };
  const name = lower.slice(3);
  return { slot: slots.get(name) ?? (isAttributeName(name) ? extensionSlot : badNameSlot), name, raw };
}
