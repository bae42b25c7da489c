/** A length of time in the unit that suits it. */
export function duration(ms: number): string {
  if (ms === 0) return '0';
  if (ms >= 3_600_000) return `${fixed(ms / 3_600_000)} h`;
  if (ms >= 60_000) return `${fixed(ms / 60_000)} min`;
  if (ms >= 1_000) return `${fixed(ms / 1_000)} s`;
  return `${fixed(ms)} ms`;
}

/** Digits in groups of three. */
export const grouped = (value: number): string => value.toLocaleString('en-US').replaceAll(',', '\u202f');
/** Three digits, or whole from 100 on. */
export const fixed = (value: number): string =>
  String(value >= 100 ? Math.round(value) : value >= 1 ? Number(value.toPrecision(3)) : Number(value.toFixed(3)));
export const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
