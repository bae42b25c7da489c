import type { StringMap } from '../metadata.ts';

/** A name with the labels that an object needs to get it. */
export interface Selection {
  readonly name: string;
  readonly selector: StringMap;
  /** Keys of the selector. */
  readonly keys: readonly string[];
}

export function makeSelection(name: string, selector: StringMap): Selection {
  return { name, selector, keys: Object.keys(selector) };
}

/** The name whose selector matches with the most labels, the first by name among equals. */
export function mostSpecific(selections: readonly Selection[], labels: StringMap | undefined): string | undefined {
  let found: string | undefined;
  let specificity = -1;
  for (const { name, selector, keys } of selections) {
    if (keys.length < specificity || keys.some((key) => labels?.[key] !== selector[key])) continue;
    if (keys.length > specificity || name < (found ?? '')) {
      found = name;
      specificity = keys.length;
    }
  }
  return found;
}
