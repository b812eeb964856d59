/**
 * Arithmetic on pairs of doubles, whose sum is the value: about 106 bits (T. J. Dekker, "A floating-point technique for
 * extending the available precision", 1971). What is reckoned in pairs and added up at the end is rounded right but for
 * about one in a million million arguments.
 */
export type DoublePair = readonly [high: number, low: number];

/** The rounding error of `product`, the rounded product of two numbers. Both are below 2^970 in size. */
export function lost(a: number, b: number, product: number): number {
  const aHigh = upperHalf(a);
  const bHigh = upperHalf(b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

/** The upper 26 bits of a number's 53. */
function upperHalf(a: number): number {
  const scaled = a * 134217729;
  return scaled - (scaled - a);
}

/** 1 / divisor. */
export function reciprocal(divisor: number): DoublePair {
  const quotient = 1 / divisor;
  return [quotient, (1 - quotient * divisor - lost(quotient, divisor, quotient * divisor)) / divisor];
}

export const LN2: DoublePair = [0.6931471805599453, 2.3190468138462996e-17];
