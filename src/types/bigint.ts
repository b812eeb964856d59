import { DataError } from '../common/error.ts';

/**
 * BIGINT values: a JavaScript number while it is a safe integer, a `bigint` beyond, never two shapes for one value and
 * never -0. So `===` is equality, `<` is order, and a value can be a key of a Map.
 */
export type Bigint = number | bigint;

const MAX_SAFE = Number.MAX_SAFE_INTEGER;
const MAX_SAFE_BIG = BigInt(MAX_SAFE);
export const MIN_BIGINT = -(2n ** 63n);
export const MAX_BIGINT = 2n ** 63n - 1n;

/** The one shape of a 64-bit value. */
export function toBigint(value: bigint): Bigint {
  return value <= MAX_SAFE_BIG && value >= -MAX_SAFE_BIG ? Number(value) : value;
}

/** The one shape of any whole number, wrapped to 64 bits as Java's `long` wraps. */
export function wrapBigint(value: bigint): Bigint {
  return value <= MAX_SAFE_BIG && value >= -MAX_SAFE_BIG ? Number(value) : toBigint(BigInt.asIntN(64, value));
}

/** a + b, wrapped to 64 bits. */
export function addBigint(a: Bigint, b: Bigint): Bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (sum <= MAX_SAFE && sum >= -MAX_SAFE) return sum;
  }
  return wrapBigint(BigInt(a) + BigInt(b));
}

/** a - b, wrapped to 64 bits. */
export function subBigint(a: Bigint, b: Bigint): Bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b;
    if (difference <= MAX_SAFE && difference >= -MAX_SAFE) return difference;
  }
  return wrapBigint(BigInt(a) - BigInt(b));
}

/** a * b, wrapped to 64 bits. */
export function mulBigint(a: Bigint, b: Bigint): Bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b;
    // Adding zero turns -0 into 0.
    if (product <= MAX_SAFE && product >= -MAX_SAFE) return product + 0;
  }
  return wrapBigint(BigInt(a) * BigInt(b));
}

/** a / b truncated toward zero. Throws `DataError` when b is zero. */
export function divBigint(a: Bigint, b: Bigint): Bigint {
  if (b === 0) throw new DataError('division by zero');
  // The quotient of two safe integers is further from the next integer than rounding reaches, so truncation is exact.
  if (typeof a === 'number' && typeof b === 'number') return Math.trunc(a / b) + 0;
  return wrapBigint(BigInt(a) / BigInt(b));
}

/** The remainder of a / b, with the sign of a. Throws `DataError` when b is zero. */
export function modBigint(a: Bigint, b: Bigint): Bigint {
  if (b === 0) throw new DataError('division by zero');
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0;
  return wrapBigint(BigInt(a) % BigInt(b));
}

/** -a, wrapped to 64 bits. */
export function negateBigint(a: Bigint): Bigint {
  return typeof a === 'number' ? 0 - a : wrapBigint(-a);
}

/** Negative, zero or positive. */
export function compareBigint(a: Bigint, b: Bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Reads `[+-]digits` exactly. Undefined when the text is anything else or beyond 64 bits. */
export function parseBigint(text: string): Bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  if (text.length <= 15) return Number(text) + 0;
  if (text.length > 100_000) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return value > MAX_BIGINT || value < MIN_BIGINT ? undefined : toBigint(value);
}

/** Reads `[+-]digits` as a 32-bit integer. Undefined when the text is anything else or beyond 32 bits. */
export function parseInteger(text: string): number | undefined {
  const value = parseBigint(text);
  return typeof value === 'number' && value === (value | 0) ? value : undefined;
}

/** Java's narrowing of a double: truncated toward zero, NaN is 0, beyond 64 bits the nearest end. */
export function doubleToBigint(value: number): Bigint {
  if (Number.isNaN(value)) return 0;
  if (value >= 2 ** 63) return MAX_BIGINT;
  if (value <= -(2 ** 63)) return MIN_BIGINT;
  const whole = Math.trunc(value) + 0;
  return Number.isSafeInteger(whole) ? whole : BigInt(whole);
}

/** Java's narrowing of a double: truncated toward zero, NaN is 0, beyond 32 bits the nearest end. */
export function doubleToInteger(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.trunc(Math.max(-2147483648, Math.min(2147483647, value))) + 0;
}

/** The low 32 bits, as Java narrows a long. */
export function bigintToInteger(value: Bigint): number {
  // ToInt32 of a safe integer is exact.
  return typeof value === 'number' ? value | 0 : Number(BigInt.asIntN(32, value));
}
