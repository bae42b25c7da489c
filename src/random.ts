/** A source of numbers in [0, 1). `Math.random` fits; tests and the simulator hand in a seeded one. */
export type Random = () => number;

/** A seeded generator (sfc32, 128 bits of state): the same seed gives the same numbers on every machine. */
export function createRandom(seed: number): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed | 0;
  let counter = (seed / 0x100000000) | 0 || 1;
  const next: Random = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 0x100000000;
  };
  // The first outputs still show the seed; mixing hides it.
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** The machine's generator: the default wherever a `random` option is left out. */
export const systemRandom: Random = Math.random;

/** A version 4 UUID drawn from `random`. */
export function randomUuid(random: Random): string {
  let hex = '';
  for (let i = 0; i < 32; i++) {
    const nibble = i === 12 ? 4 : i === 16 ? 8 + Math.floor(random() * 4) : Math.floor(random() * 16);
    hex += nibble.toString(16);
    if (i === 7 || i === 11 || i === 15 || i === 19) hex += '-';
  }
  return hex;
}
