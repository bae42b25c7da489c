import { fnv1a64 } from './hash/fnv.ts';

/** Points on the ring. */
const universe = 2_048n;

/**
 * `count` of the names, chosen by consistent hashing for `target`: the same target gets the same names, and few others when one
 * comes or goes. Source: knative.dev/pkg hash.
 */
export function chooseSubset(names: Iterable<string>, count: number, target: string): Set<string> {
  const sorted = [...new Set(names)].sort();
  if (count >= sorted.length) return new Set(sorted);
  const byPoint = new Map<bigint, string>();
  for (const name of sorted) {
    let text = name + target;
    let hash = fnv1a64(text);
    // A taken point: the text grows until the name finds one of its own.
    while (byPoint.has(hash % universe)) {
      text += hash.toString(16);
      hash = fnv1a64(text);
    }
    byPoint.set(hash % universe, name);
  }
  const points = [...byPoint.keys()].sort((a, b) => (a < b ? -1 : 1));
  const step = fnv1a64(`${target}step-angle-salt`) % universe;
  let angle = fnv1a64(`${target}start-angle-salt`) % universe;
  const chosen = new Set<number>();
  while (chosen.size < count) {
    let index = points.findIndex((point) => point >= angle);
    if (index < 0) index = 0;
    while (chosen.has(index)) index = (index + 1) % points.length;
    chosen.add(index);
    angle = (angle + step) % universe;
  }
  return new Set([...chosen].map((index) => byPoint.get(points[index] ?? 0n) ?? ''));
}
