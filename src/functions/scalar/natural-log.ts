import { LN2, lost, reciprocal, type DoublePair } from './double-pair.ts';

/**
 * The natural logarithm, rounded right. `Math.log` of V8 is off in the last digit now and then (for 3 it is), where Java's
 * is not, and results of LN and LOG are to be the same.
 */
export function naturalLog(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  const [high, low] = logPair(x);
  return high + low;
}

/**
 * The logarithm of a positive number. With `x = 2^k m`, m between the roots of one half and two, and
 * `s = (m - 1) / (m + 1)`, `log x = k log 2 + 2 (s + s³/3 + s⁵/5 + …)`.
 */
export function logPair(x: number): DoublePair {
  const isSubnormal = x < 2 ** -1022;
  scratch.setFloat64(0, isSubnormal ? x * 2 ** 54 : x);
  const high = scratch.getUint32(0);
  let k = (high >>> 20) - 1023 - (isSubnormal ? 54 : 0);
  scratch.setUint32(0, (high & 0xfffff) | 0x3ff00000);
  let m = scratch.getFloat64(0);
  if (m > Math.SQRT2) {
    m /= 2;
    k++;
  }
  if (m === 1 && k === 0) return [0, 0];
  const f = m - 1;
  const sum = m + 1;
  // The rounding error of the sum: the greater of the two comes first, so that the difference is exact.
  const sumLow = m > 1 ? 1 - (sum - m) : m - (sum - 1);
  const sHigh = f / sum;
  const sLow = (f - sHigh * sum - lost(sHigh, sum, sHigh * sum) - sHigh * sumLow) / sum;
  const zHigh = sHigh * sHigh;
  const zLow = lost(sHigh, sHigh, zHigh) + 2 * sHigh * sLow;
  let pHigh = 0;
  let pLow = 0;
  for (let i = RECIPROCALS.length - 1; i >= 0; i--) {
    const [termHigh, termLow] = RECIPROCALS[i]!;
    const product = pHigh * zHigh;
    const productLow = lost(pHigh, zHigh, product) + pHigh * zLow + pLow * zHigh;
    pHigh = termHigh + product;
    pLow = termHigh - pHigh + product + productLow + termLow;
  }
  const mHigh = 2 * sHigh * pHigh;
  const mLow = lost(2 * sHigh, pHigh, mHigh) + 2 * (sHigh * pLow + sLow * pHigh);
  if (k === 0) return [mHigh, mLow];
  const kHigh = k * LN2[0];
  const total = kHigh + mHigh;
  return [total, kHigh - total + mHigh + (lost(k, LN2[0], kHigh) + k * LN2[1] + mLow)];
}

const scratch = new DataView(new ArrayBuffer(8));

/** 1, 1/3, 1/5, … as pairs; with s² below 0.03 what comes after is beyond the 110th bit. */
const RECIPROCALS = Array.from({ length: 22 }, (_, i) => reciprocal(2 * i + 1));
