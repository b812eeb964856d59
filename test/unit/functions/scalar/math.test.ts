import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_BIGINT, MIN_BIGINT } from '../../../../src/types/bigint.ts';
import { Decimal } from '../../../../src/types/decimal.ts';
import { BIGINT, decimal, DOUBLE, INTEGER, STRING } from '../../../../src/types/sql-type.ts';
import { call } from '../call.ts';

const d = (text: string): Decimal => Decimal.parse(text);
const text = (value: unknown): string => String(value);

test('ABS keeps the type; the smallest numbers stay negative', () => {
  expect(call('ABS', [INTEGER, -5])).toBe(5);
  expect(call('ABS', [INTEGER, -2147483648])).toBe(-2147483648);
  expect(call('ABS', [BIGINT, MIN_BIGINT])).toBe(MIN_BIGINT);
  expect(call('ABS', [DOUBLE, -3.1])).toBe(3.1);
  expect(text(call('ABS', [decimal(3, 2), d('-1.50')]))).toBe('1.50');
  expect(call('ABS', [INTEGER, null])).toBe(null);
});

describe('ROUND and TRUNC', () => {
  test.each([
    [1.2, 1],
    [1.5, 2],
    [-1.1, -1],
    [-1.5, -1],
    [-1.7, -2],
    [2.5, 3],
    [-2.5, -2],
    [0, 0],
  ])('ROUND(%d) is %d', (value, rounded) => {
    expect(call('ROUND', [DOUBLE, value])).toBe(rounded);
  });

  test.each([
    [12345.678, 1, 12345.7, 12345.6],
    [12345.678, -1, 12350, 12340],
    [-12345.678, -2, -12300, -12300],
    [1.234567, 10, 1.234567, 1.234567],
    [1.005, 2, 1.01, 1],
    [-1.005, 2, -1, -1],
    [1.2, -1, 0, 0],
  ])('of %d to %d places', (value, places, rounded, cut) => {
    expect(call('ROUND', [DOUBLE, value], [INTEGER, places])).toBe(rounded);
    expect(call('TRUNC', [DOUBLE, value], [INTEGER, places])).toBe(cut);
  });

  test('a DOUBLE beyond BIGINT is the nearest end, as Java narrows', () => {
    expect(call('ROUND', [DOUBLE, 1e30])).toBe(MAX_BIGINT);
  });

  test('DECIMAL: whole without places, its own scale with', () => {
    const type = decimal(33, 16);
    const value = d('12345678987654321.2345678987654321');
    const rounded = (places: number): string => text(call('ROUND', [type, value], [INTEGER, places]));
    expect(text(call('ROUND', [type, value]))).toBe('12345678987654321');
    expect(rounded(0)).toBe('12345678987654321.0000000000000000');
    expect(rounded(1)).toBe('12345678987654321.2000000000000000');
    expect(rounded(10)).toBe('12345678987654321.2345678988000000');
    expect(rounded(-2)).toBe('12345678987654300.0000000000000000');
    expect(text(call('ROUND', [decimal(2, 1), d('-2.5')]))).toBe('-2');
    expect(text(call('TRUNC', [decimal(4, 2), d('-2.79')], [INTEGER, 1]))).toBe('-2.70');
  });

  test('a DOUBLE that is no number has no places', () => {
    expect(() => call('ROUND', [DOUBLE, Number.POSITIVE_INFINITY], [INTEGER, 1])).toThrow();
  });

  test('rounding is never further off than half a unit', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
        fc.integer({ min: -5, max: 12 }),
        (u, places) => {
          const value = new Decimal(u, 10);
          const rounded = call('ROUND', [decimal(30, 10), value], [INTEGER, places]) as Decimal;
          const distance = rounded.sub(value).abs().mul(Decimal.parse('2'));
          expect(distance.compare(Decimal.parse(`1e${-places}`))).toBeLessThanOrEqual(0);
        },
      ),
    );
  });
});

test('CEIL and FLOOR keep type and scale', () => {
  expect(call('CEIL', [DOUBLE, -1.7])).toBe(-1);
  expect(call('FLOOR', [DOUBLE, -1.2])).toBe(-2);
  expect(text(call('CEIL', [decimal(2, 1), d('1.1')]))).toBe('2.0');
  expect(text(call('FLOOR', [decimal(2, 1), d('-1.1')]))).toBe('-2.0');
  expect(call('CEIL', [INTEGER, 7])).toBe(7);
});

test('LOG: natural with one argument, base first with two', () => {
  expect(call('LOG', [INTEGER, 13])).toBe(2.5649493574615367);
  expect(call('LOG', [INTEGER, 0])).toBe(Number.NEGATIVE_INFINITY);
  expect(call('LOG', [INTEGER, 2], [INTEGER, 8])).toBe(3);
  expect(call('LOG', [DOUBLE, 1], [DOUBLE, 8])).toBeNaN();
  expect(call('LOG', [DOUBLE, -2], [DOUBLE, 8])).toBeNaN();
});

test('functions of angles and powers', () => {
  expect(call('EXP', [BIGINT, 2])).toBe(7.38905609893065);
  expect(call('COT', [INTEGER, 0])).toBe(Number.POSITIVE_INFINITY);
  expect(call('ATAN2', [DOUBLE, -1.1], [DOUBLE, -0.24])).toBeCloseTo(-1.7856117271966, 12);
  expect(call('DEGREES', [DOUBLE, -1.2345])).toBeCloseTo(-70.7316398089, 9);
  expect(call('RADIANS', [INTEGER, 114])).toBeCloseTo(1.9896753472735, 12);
  expect(call('POWER', [INTEGER, 2], [INTEGER, 10])).toBe(1024);
  expect(call('SIGN', [DOUBLE, -0.1])).toBe(-1);
  expect(call('SQRT', [DOUBLE, -1])).toBeNaN();
  expect(call('RANDOM')).toBe(0.5);
});

test('GREATEST and LEAST leave nulls out', () => {
  expect(call('GREATEST', [INTEGER, 3], null, [INTEGER, 7])).toBe(7);
  expect(call('LEAST', [STRING, 'b'], [STRING, null], [STRING, 'B'])).toBe('B');
  expect(call('GREATEST', [INTEGER, null], [INTEGER, null])).toBe(null);
  expect(text(call('GREATEST', [decimal(2, 1), d('9.9')], [decimal(4, 3), d('1.234')]))).toBe('9.9');
  expect(call('GREATEST', [BIGINT, MAX_BIGINT], [BIGINT, 5])).toBe(MAX_BIGINT);
});

test('rounding far before the point is zero, at once', () => {
  for (const name of ['ROUND', 'TRUNC']) {
    expect(call(name, [DOUBLE, 123.5], [INTEGER, -2147483648])).toBe(0);
    expect(text(call(name, [decimal(5, 2), d('-999.99')], [INTEGER, -2_000_000_000]))).toBe('0.00');
    expect(text(call(name, [decimal(5, 2), d('999.99')], [INTEGER, 2147483647]))).toBe('999.99');
  }
  expect(text(call('ROUND', [decimal(5, 1), d('999.9')], [INTEGER, -3]))).toBe('1000.0');
  expect(text(call('ROUND', [decimal(5, 1), d('999.9')], [INTEGER, -4]))).toBe('0.0');
});
