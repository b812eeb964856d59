const scratch = new DataView(new ArrayBuffer(8));

/** The number whose upper 32 bits are these and whose lower ones are zero. */
function fromUpperBits(bits: number): number {
  scratch.setUint32(0, bits);
  scratch.setUint32(4, 0);
  return scratch.getFloat64(0);
}

function upperBits(x: number): number {
  scratch.setFloat64(0, x);
  return scratch.getUint32(0);
}

/**
 * The cube root, as Java's `Math.cbrt` gives it in every digit; V8's differs in the last one for one argument in twelve.
 * The method is W. Kahan's, of fdlibm: a third of the exponent for five bits, a rational function for 23, then one step of
 * Newton's from a number of 20 bits, whose square is exact.
 */
export function cubeRoot(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  const x = Math.abs(value);
  let t =
    x < 2 ** -1022
      ? fromUpperBits(Math.trunc(upperBits(x * 2 ** 54) / 3) + 696219795)
      : fromUpperBits(Math.trunc(upperBits(x) / 3) + 715094163);
  const s = 19 / 35 + ((t * t) / x) * t;
  t *= 5 / 14 + 45 / 28 / (s + 99 / 70 + -864 / 1225 / s);
  t = fromUpperBits(upperBits(t) + 1);
  const r = x / (t * t);
  t += (t * (r - t)) / (t + t + r);
  return value < 0 ? -t : t;
}
