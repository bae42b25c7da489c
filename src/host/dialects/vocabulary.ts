import { nearestName } from '../../api/strict-decode.ts';
import type { ReportLine } from './dialect.ts';
import { keyPath, textEntries } from './json-path.ts';

/** What a known annotation or label means. */
export interface Meaning {
  readonly level: 'mapped' | 'info' | 'unsupported';
  readonly message: string;
}

/** Where annotations and labels stand on an object. */
export type Place = 'annotations' | 'labels' | 'templateAnnotations' | 'templateLabels';

/** Known annotations and labels by place. A key that ends with `/` stands for all that start so, a `*` in it for
 * anything. */
export type Vocabulary = Readonly<Partial<Record<Place, Readonly<Record<string, Meaning>>>>>;

const basePaths: Readonly<Record<Place, string>> = {
  annotations: 'metadata.annotations',
  labels: 'metadata.labels',
  templateAnnotations: 'spec.template.metadata.annotations',
  templateLabels: 'spec.template.metadata.labels',
};

const placeNames: Readonly<Record<Place, string>> = {
  annotations: 'the object itself (metadata.annotations)',
  labels: 'the object itself (metadata.labels)',
  templateAnnotations: 'the revision template (spec.template.metadata.annotations)',
  templateLabels: 'the revision template (spec.template.metadata.labels)',
};

export const means = (message: string): Meaning => ({ level: 'mapped', message });
export const noEffect = (message: string): Meaning => ({ level: 'info', message });
export const notHere = (message: string): Meaning => ({ level: 'unsupported', message });

/** One line per annotation or label of a place. */
export function reportKeys(vocabularies: readonly Vocabulary[], place: Place, values: unknown): readonly ReportLine[] {
  return textEntries(values).map(([key, value]) => {
    const path = keyPath(basePaths[place], key);
    for (const vocabulary of vocabularies) {
      const meaning = lookUp(vocabulary[place], key);
      if (meaning !== undefined) return { path, ...meaning, value };
    }
    return misplaced(vocabularies, place, key, path) ?? misspelt(vocabularies, place, key, path) ?? unknown(path, value);
  });
}

function lookUp(meanings: Readonly<Record<string, Meaning>> | undefined, key: string): Meaning | undefined {
  if (meanings === undefined) return undefined;
  if (Object.hasOwn(meanings, key)) return meanings[key];
  for (const known in meanings) {
    const star = known.endsWith('/') ? known.length : known.indexOf('*');
    if (star < 0) continue;
    if (key.startsWith(known.slice(0, star)) && key.endsWith(known.slice(star + 1))) return meanings[known];
  }
  return undefined;
}

function misplaced(vocabularies: readonly Vocabulary[], place: Place, key: string, path: string): ReportLine | undefined {
  for (const other of ['annotations', 'templateAnnotations', 'labels', 'templateLabels'] as const) {
    if (other === place || !vocabularies.some((vocabulary) => vocabulary[other]?.[key] !== undefined)) continue;
    return {
      path,
      level: 'unsupported',
      message: `has no effect here: it belongs on ${placeNames[other]}`,
      suggestion: keyPath(basePaths[other], key),
    };
  }
  return undefined;
}

function misspelt(vocabularies: readonly Vocabulary[], place: Place, key: string, path: string): ReportLine | undefined {
  const slash = key.indexOf('/');
  const group = key.slice(0, slash + 1);
  const names = new Set<string>();
  for (const vocabulary of vocabularies) {
    for (const meanings of Object.values(vocabulary)) {
      for (const known of Object.keys(meanings)) {
        if (slash >= 0 && known.startsWith(group) && known !== group && !known.includes('*'))
          names.add(known.slice(group.length));
      }
    }
  }
  if (names.size === 0) return undefined;
  const suggestion = nearestName(key.slice(group.length), names);
  const base = basePaths[place];
  return {
    path,
    level: 'unsupported',
    message: `${key} is not known`,
    ...(suggestion === undefined ? {} : { suggestion: keyPath(base, group + suggestion) }),
  };
}

const unknown = (path: string, value: string): ReportLine => ({ path, level: 'info', message: 'kept, no effect', value });
