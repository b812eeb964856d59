/** The smallest and the largest whole number allowed. */
export interface WholeRange {
  readonly min: number;
  readonly max: number;
}

/**
 * The number that `text` writes in decimal ASCII digits, with a minus where it is negative; null where it is anything
 * else (`1e3`, `0x10`, `1_000`, `1.5`, `+5`, blanks, other scripts' digits) or out of `range`.
 */
export function readWholeNumber(text: string, range: WholeRange): number | null {
  if (!/^-?[0-9]+$/.test(text)) return null;
  // Not -0.
  const number = Number(text) + 0;
  return isWholeIn(number, range) ? number : null;
}

export function isWholeIn(number: unknown, { min, max }: WholeRange): number is number {
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= min && number <= max;
}

/** Such as `a whole number from 0 to 65535`, to stand behind "must be". */
export function describeRange({ min, max }: WholeRange): string {
  return max === Number.MAX_SAFE_INTEGER
    ? `a whole number of at least ${min}`
    : `a whole number from ${min} to ${max}`;
}
