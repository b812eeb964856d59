import { LN2, lost, reciprocal, type DoublePair } from './double-pair.ts';
import { logPair } from './natural-log.ts';

/**
 * e^x and x^y, rounded right: what Java's intrinsics give for all but about one in a thousand arguments, where `Math.exp` of
 * V8 is off in the last digit for one in fourteen and `Math.pow` for one in eleven.
 */
export function exponential(x: number): number {
  return x > 709.79 || x < -745.14 || Number.isNaN(x) ? Math.exp(x) : ofPair([x, 0]);
}

export function power(x: number, y: number): number {
  // Results that are exact, and special cases with rules of their own.
  if (!Number.isFinite(x) || x === 0 || x === 1 || !(Math.abs(y) < 2 ** 60) || y === 0) return x ** y;
  if (x < 0) return Number.isInteger(y) ? power(-x, y) * (y % 2 === 0 ? 1 : -1) : Number.NaN;
  const [logHigh, logLow] = logPair(x);
  const high = y * logHigh;
  if (high > 709.79 || high < -745.14) return high > 0 ? Number.POSITIVE_INFINITY : 0;
  return ofPair([high, lost(y, logHigh, high) + y * logLow]);
}

/** 1/1, 1/2, … as pairs; with r below 0.35 what comes after is beyond the 80th bit. */
const RECIPROCALS = Array.from({ length: 18 }, (_, i) => reciprocal(i + 1));

/** With `x = k log 2 + r`: `2^k (1 + r (1 + r/2 (1 + r/3 (…))))`. */
function ofPair([high, low]: DoublePair): number {
  const k = Math.round(high / LN2[0]);
  const kHigh = k * LN2[0];
  const rest = high - kHigh;
  const rHigh = rest;
  const rLow = high - rest - kHigh + (low - lost(k, LN2[0], kHigh) - k * LN2[1]);
  let sumHigh = 1;
  let sumLow = 0;
  for (let i = RECIPROCALS.length - 1; i >= 0; i--) {
    const [partHigh, partLow] = RECIPROCALS[i]!;
    // r / (i + 1)
    const factor = rHigh * partHigh;
    const factorLow = lost(rHigh, partHigh, factor) + rHigh * partLow + rLow * partHigh;
    const product = factor * sumHigh;
    const productLow = lost(factor, sumHigh, product) + factor * sumLow + factorLow * sumHigh;
    sumHigh = 1 + product;
    sumLow = 1 - sumHigh + product + productLow;
  }
  // In two steps, since 2^k alone may be out of range.
  const half = Math.trunc(k / 2);
  return (sumHigh + sumLow) * 2 ** half * 2 ** (k - half);
}
