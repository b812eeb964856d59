import { expect, test } from 'vitest';
import { cubeRoot } from '../../../../src/functions/scalar/cube-root.ts';
import { exponential, power } from '../../../../src/functions/scalar/exponential.ts';

// The results are those of Java's Math.exp, pow and cbrt. Most of them are not what JavaScript's functions give.

test.each([
  [0, 1],
  [1, Math.E],
  [1.5, 4.4816890703380645],
  [2, 7.38905609893065],
  [10, 22026.465794806718],
  [-1, 0.36787944117144233],
  [-700, 9.85967654375977e-305],
  [709, 8.218407461554972e307],
  [-744.44, 4.94065645841246544e-324],
  [710, Number.POSITIVE_INFINITY],
  [-746, 0],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  [Number.NEGATIVE_INFINITY, 0],
])('e^%d is %d', (x, result) => {
  expect(exponential(x)).toBe(result);
});

test.each([
  [2, 10, 1024],
  [10, 308, 1e308],
  [10, -5, 1e-5],
  [10, 22, 1e22],
  [2, 0.5, Math.SQRT2],
  [1.1, 10, 2.5937424601000023],
  [-2, 3, -8],
  [-2, 2, 4],
  [-0.5, -3, -8],
  [0, -1, Number.POSITIVE_INFINITY],
  [0, 0, 1],
  [2, 1024, Number.POSITIVE_INFINITY],
  [2, -1074, Number.MIN_VALUE],
  [2, -1080, 0],
  [1, 1e300, 1],
  [3, 1e300, Number.POSITIVE_INFINITY],
])('%d^%d is %d', (x, y, result) => {
  expect(power(x, y)).toBe(result);
});

test.each([
  [-2, 0.5],
  [1, Number.POSITIVE_INFINITY],
  [Number.NaN, 1],
])('%d^%d is no number', (x, y) => {
  expect(power(x, y)).toBeNaN();
});

test.each([
  [27, 3],
  [-8, -2],
  [2, 1.2599210498948732],
  [3, 1.4422495703074083],
  [0.1, 0.4641588833612779],
  [100, 4.641588833612779],
  [1e-310, 4.641588833612774e-104],
  [Number.MAX_VALUE, 5.643803094122362e102],
  [-0, -0],
])('the cube root of %d is %d', (x, result) => {
  expect(cubeRoot(x)).toBe(result);
});
