/**
 * Kubernetes resource quantities (`resource.Quantity`): parsing, comparing and the canonical text that the API server prints.
 */
export interface Quantity {
  /** In units of 10⁻⁹ (nano), rounded up, as Kubernetes keeps at most nano precision. */
  readonly nanos: bigint;
  /** Suffix family that the canonical text keeps. */
  readonly format: 'decimal' | 'binary' | 'exponent';
  /** The text as it was written, where Kubernetes takes it for canonical and prints it again (`1.`, `+1` and `1E3` too). */
  readonly written?: string;
}

const nano = 1_000_000_000n;
const decimalExponents: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binaryExponents: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };
const pattern = /^([+-]?)(\d*(?:\.\d*)?)(n|u|m||k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d{1,3})$/;
const lengthMax = 64;
/** Kubernetes caps what it cannot hold at 2⁶³-1 (whole units). */
const nanosMax = (2n ** 63n - 1n) * nano;

function pow10(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

/** The quantity that a text or number stands for; `undefined` when it is none. */
export function parseQuantity(value: string | number): Quantity | undefined {
  const text = typeof value === 'number' ? numberText(value) : value;
  if (text === '' || text.length > lengthMax) return undefined;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, sign = '', digits = '', suffix = ''] = match;
  const point = digits.indexOf('.');
  const fractionDigits = point < 0 ? 0 : digits.length - point - 1;
  const mantissa = BigInt(digits.replace('.', '') || '0');
  const binary = binaryExponents[suffix];
  let format: Quantity['format'] = 'decimal';
  let nanos: bigint;
  if (binary !== undefined) {
    format = 'binary';
    nanos = divideUp(mantissa * 2n ** binary * nano, pow10(fractionDigits));
  } else {
    const named = decimalExponents[suffix];
    if (named === undefined) format = 'exponent';
    const exponent = (named ?? Number(suffix.slice(1))) + 9 - fractionDigits;
    nanos = exponent >= 0 ? mantissa * pow10(Math.min(exponent, 400)) : divideUp(mantissa, pow10(-exponent));
  }
  // Only binary amounts are capped.
  if (format === 'binary' && nanos > nanosMax) nanos = nanosMax;
  // Below one whole unit a binary text keeps decimal suffixes, as Kubernetes prints it.
  if (format === 'binary' && nanos > -1024n * nano && nanos < 1024n * nano) format = 'decimal';
  const amount: Quantity = { nanos: sign === '-' ? -nanos : nanos, format };
  const exponent = decimalExponents[suffix] ?? Number(suffix.slice(1));
  const isKept = binary === undefined ? keepsDecimal(digits, exponent) : keepsBinary(digits, Number(binary));
  return isKept ? { ...amount, written: text } : amount;
}

/** Kubernetes does not write a decimal amount anew when its exponent is a multiple of three and its digits do not end in `000`. */
function keepsDecimal(digits: string, exponent: number): boolean {
  const [whole = '', fraction = ''] = digits.replace(/^0+/, '').split('.');
  const all = (whole || '0') + fraction;
  const scale = exponent - fraction.length;
  return all.length <= 18 && scale >= -9 && scale % 3 === 0 && !all.endsWith('000') && !all.startsWith('0');
}

/** Kubernetes does not write a whole binary amount anew unless its digits divide by eight or are too many for a quick look. */
function keepsBinary(digits: string, exponent: number): boolean {
  const whole = digits.replace(/^0+/, '').replace(/\.$/, '');
  if (whole === '' || whole.includes('.')) return false;
  return whole.length <= 14 - Math.trunc((exponent * 3) / 10) && Number(whole) % 8 !== 0;
}

function numberText(value: number): string {
  const text = String(value);
  return text.includes('e') ? text.replace('e+', 'e') : text;
}

function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}

const decimalSuffixes: readonly (readonly [string, bigint])[] = [
  ['E', pow10(27)],
  ['P', pow10(24)],
  ['T', pow10(21)],
  ['G', pow10(18)],
  ['M', pow10(15)],
  ['k', pow10(12)],
  ['', nano],
  ['m', pow10(6)],
  ['u', pow10(3)],
  ['n', 1n],
];
const exponentSuffixes: readonly (readonly [string, bigint])[] = decimalSuffixes.map(([, unit], index) => {
  const exponent = 18 - index * 3;
  return [exponent === 0 ? '' : `e${exponent}`, unit];
});
const binarySuffixes: readonly (readonly [string, bigint])[] = [
  ['Ei', 2n ** 60n * nano],
  ['Pi', 2n ** 50n * nano],
  ['Ti', 2n ** 40n * nano],
  ['Gi', 2n ** 30n * nano],
  ['Mi', 2n ** 20n * nano],
  ['Ki', 2n ** 10n * nano],
];

/** The canonical text: the one that was parsed if that will do, otherwise the largest suffix of its family that needs no fraction (`1000m` is `1`, `1024Mi` is `1Gi`). */
export function formatQuantity(quantity: Quantity): string {
  const { nanos, format, written } = quantity;
  if (written !== undefined) return written;
  if (nanos === 0n) return '0';
  if (format === 'binary') {
    for (const [suffix, unit] of binarySuffixes) if (nanos % unit === 0n) return `${nanos / unit}${suffix}`;
    // A whole number that no binary suffix divides stays plain; only fractions fall back to decimal suffixes.
    if (nanos % nano === 0n) return `${nanos / nano}`;
  }
  for (const [suffix, unit] of format === 'exponent' ? exponentSuffixes : decimalSuffixes) {
    if (nanos % unit === 0n) return `${nanos / unit}${suffix}`;
  }
  return `${nanos}n`;
}

const canonicalTexts = new Map<string | number, string | undefined>();
const canonicalTextsMax = 1_000;

/** The canonical text of a quantity given as text or number, `undefined` when it is none. Remembers recent answers. */
export function canonicalQuantity(value: string | number): string | undefined {
  const known = canonicalTexts.get(value);
  if (known !== undefined) return known;
  const quantity = parseQuantity(typeof value === 'string' ? value.trim() : value);
  const text = quantity === undefined ? undefined : formatQuantity(quantity);
  if (canonicalTexts.size >= canonicalTextsMax) canonicalTexts.clear();
  canonicalTexts.set(value, text);
  return text;
}

/** Negative, zero or positive as `a` is less than, equal to or greater than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
}

/** Whole thousandths, rounded up (`Quantity.MilliValue`). */
export function milliValue(quantity: Quantity): number {
  const unit = 1_000_000n;
  return Number(quantity.nanos >= 0n ? divideUp(quantity.nanos, unit) : quantity.nanos / unit);
}

/** Whole units, rounded up (`Quantity.Value`). */
export function wholeValue(quantity: Quantity): number {
  return Number(quantity.nanos >= 0n ? divideUp(quantity.nanos, nano) : quantity.nanos / nano);
}
