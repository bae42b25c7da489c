import { textOfAttribute, type AttributeValue, type EventMessage } from '../../cloudevents/index.ts';
import { filterTime } from './event-time.ts';

/** Reads one attribute of an event for a filter; `undefined` when the event does not have it. */
export type AttributeReader = (event: EventMessage) => AttributeValue | undefined;

/** Reads one attribute as text. */
export type TextReader = (event: EventMessage) => string | undefined;

const coreReaders: ReadonlyMap<string, TextReader> = new Map<string, TextReader>([
  ['specversion', (event) => event.specversion],
  ['type', (event) => event.type],
  ['source', (event) => event.source],
  ['id', (event) => event.id],
  ['subject', (event) => event.subject],
  ['time', (event) => filterTime(event.time)],
  ['dataschema', (event) => event.dataschema],
  ['schemaurl', (event) => event.dataschema],
  ['datacontenttype', (event) => event.datacontenttype],
  ['datamediatype', (event) => mediaType(event.datacontenttype)],
  // A name of version 0.2 that filters still know and no event of a later version has.
  ['datacontentencoding', () => undefined],
]);

function mediaType(contentType: string | undefined): string | undefined {
  const semicolon = contentType?.indexOf(';') ?? -1;
  return semicolon < 0 ? contentType : contentType?.slice(0, semicolon).trim();
}

/** True for the names that filters read from the event's own fields; the others are extensions. */
export function isCoreAttribute(name: string): boolean {
  return coreReaders.has(name);
}

/** How a filter reads the attribute `name`: names are exact, `schemaurl`, `datamediatype` and `datacontentencoding` are known too. */
export function attributeReader(name: string): AttributeReader {
  return coreReaders.get(name) ?? ((event): AttributeValue | undefined => event.extension(name));
}

/** The same, as the text that exact, prefix and suffix filters compare. */
export function textReader(name: string): TextReader {
  return (
    coreReaders.get(name) ??
    ((event): string | undefined => {
      const value = event.extension(name);
      return typeof value === 'string' || value === undefined ? value : textOfAttribute(value);
    })
  );
}
