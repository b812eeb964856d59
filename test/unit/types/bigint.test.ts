import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/common/error.ts';
import {
  addBigint,
  bigintToInteger,
  compareBigint,
  divBigint,
  doubleToBigint,
  doubleToInteger,
  MAX_BIGINT,
  MIN_BIGINT,
  modBigint,
  mulBigint,
  negateBigint,
  parseBigint,
  parseInteger,
  subBigint,
  toBigint,
  type Bigint,
} from '../../../src/types/bigint.ts';

const wide = fc.oneof(
  fc.bigInt({ min: MIN_BIGINT, max: MAX_BIGINT }),
  fc.bigInt({ min: -100n, max: 100n }),
  fc.constantFrom(MIN_BIGINT, MAX_BIGINT, 2n ** 53n, 2n ** 53n - 1n, -(2n ** 53n), 3037000500n),
);

function isProper(value: Bigint): boolean {
  return typeof value === 'number'
    ? Number.isSafeInteger(value) && !Object.is(value, -0)
    : !Number.isSafeInteger(Number(value)) && BigInt.asIntN(64, value) === value;
}

describe('arithmetic wraps at 64 bits and keeps one shape', () => {
  const operations = [
    ['add', addBigint, (a: bigint, b: bigint) => a + b],
    ['sub', subBigint, (a: bigint, b: bigint) => a - b],
    ['mul', mulBigint, (a: bigint, b: bigint) => a * b],
    ['div', divBigint, (a: bigint, b: bigint) => a / b],
    ['mod', modBigint, (a: bigint, b: bigint) => a % b],
  ] as const;
  test.each(operations)('%s', (name, operation, exact) => {
    fc.assert(
      fc.property(wide, wide, (a, b) => {
        fc.pre(b !== 0n || (name !== 'div' && name !== 'mod'));
        const result = operation(toBigint(a), toBigint(b));
        expect(BigInt(result)).toBe(BigInt.asIntN(64, exact(a, b)));
        expect(isProper(result)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('negation, order', () => {
    fc.assert(
      fc.property(wide, wide, (a, b) => {
        const negated = negateBigint(toBigint(a));
        expect(BigInt(negated)).toBe(BigInt.asIntN(64, -a));
        expect(isProper(negated)).toBe(true);
        expect(compareBigint(toBigint(a), toBigint(b))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  test('division by zero is refused', () => {
    expect(() => divBigint(1, 0)).toThrow(DataError);
    expect(() => modBigint(2n ** 60n, 0)).toThrow(DataError);
  });
});

describe('text', () => {
  test('every 64-bit number reads back', () => {
    fc.assert(
      fc.property(wide, (value) => {
        expect(parseBigint(value.toString())).toBe(toBigint(value));
      }),
    );
  });
  test.each(['', '-', '1.0', '1e3', ' 1', '9223372036854775808', '-9223372036854775809', '0x1'])(
    '%j is no BIGINT',
    (text) => {
      expect(parseBigint(text)).toBeUndefined();
    },
  );
  test('32 bits', () => {
    expect(parseInteger('2147483647')).toBe(2147483647);
    expect(parseInteger('-2147483648')).toBe(-2147483648);
    expect(parseInteger('2147483648')).toBeUndefined();
    expect(Object.is(parseInteger('-0'), 0)).toBe(true);
  });
});

describe('narrowing', () => {
  test('as Java narrows', () => {
    expect(bigintToInteger(2147483648)).toBe(-2147483648);
    expect(bigintToInteger(2n ** 62n + 5n)).toBe(5);
    expect(doubleToInteger(3e9)).toBe(2147483647);
    expect(doubleToInteger(-1.9)).toBe(-1);
    expect(doubleToInteger(Number.NaN)).toBe(0);
    expect(Object.is(doubleToInteger(-0.5), 0)).toBe(true);
    expect(doubleToBigint(1e300)).toBe(MAX_BIGINT);
    expect(doubleToBigint(-1e300)).toBe(MIN_BIGINT);
    expect(doubleToBigint(2 ** 60)).toBe(2n ** 60n);
    expect(Object.is(doubleToBigint(-0.5), 0)).toBe(true);
  });
});
