import { expect, test } from 'vitest';
import { naturalLog } from '../../../../src/functions/scalar/natural-log.ts';

// The results are those of Java's Math.log.
test.each([
  [1, 0],
  [2, 0.6931471805599453],
  [3, 1.0986122886681098],
  [10, 2.302585092994046],
  [0.1, -2.3025850929940455],
  [0.9999999999999999, -1.1102230246251565e-16],
  [1.0000000000000002, 2.2204460492503128e-16],
  [1.4142135623730951, 0.3465735902799727],
  [1e308, 709.1962086421661],
  [Number.MAX_VALUE, 709.782712893384],
  [Number.MIN_VALUE, -744.4400719213812],
])('of %d is %d', (x, result) => {
  expect(naturalLog(x)).toBe(result);
});

test('outside of the positive numbers', () => {
  expect(naturalLog(0)).toBe(Number.NEGATIVE_INFINITY);
  expect(naturalLog(-0)).toBe(Number.NEGATIVE_INFINITY);
  expect(naturalLog(-1)).toBeNaN();
  expect(naturalLog(Number.NaN)).toBeNaN();
  expect(naturalLog(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
});
