import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/common/error.ts';
import { Decimal } from '../../../src/types/decimal.ts';

const decimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 20 }))
  .map(([unscaled, scale]) => new Decimal(unscaled, scale));

describe('parse and print', () => {
  test.each([
    ['12', '12'],
    ['-1.50', '-1.50'],
    ['+.5', '0.5'],
    ['7.', '7'],
    ['1e3', '1000'],
    ['1.25E-3', '0.00125'],
    ['-0.00', '0.00'],
    ['00012.10', '12.10'],
  ])('%s is %s', (text, printed) => {
    expect(Decimal.parse(text).toString()).toBe(printed);
  });

  test.each(['', ' 1', '1 ', '.', '-', '1e', '0x10', 'NaN', '1_000', '1.2.3', '1e99999'])(
    '%j is refused',
    (text) => {
      expect(() => Decimal.parse(text)).toThrow(DataError);
    },
  );

  test('what is printed reads back with the same scale', () => {
    fc.assert(
      fc.property(decimals, (value) => {
        const again = Decimal.parse(value.toString());
        expect(again.unscaled).toBe(value.unscaled);
        expect(again.scale).toBe(value.scale);
      }),
    );
  });
});

describe('rounding', () => {
  test.each([
    ['0.05', 1, '0.1'],
    ['0.049', 1, '0.0'],
    ['-0.05', 1, '-0.1'],
    ['2.5', 0, '3'],
    ['-2.5', 0, '-3'],
    ['1.2', 3, '1.200'],
    ['155', -1, '160'],
  ])('%s at scale %i is %s', (text, scale, rounded) => {
    expect(Decimal.parse(text).setScale(scale).toString()).toBe(rounded);
  });

  test('significant digits carry over', () => {
    expect(Decimal.parse('9.96').setPrecision(2).toString()).toBe('10');
    expect(Decimal.parse('0.012345').setPrecision(3).toString()).toBe('0.0123');
    expect(Decimal.parse('6979727642269710').setPrecision(12).toString()).toBe('6979727642270000');
    expect(Decimal.parse('99.6').setPrecision(2).toString()).toBe('100');
  });

  test('a value that does not fit is refused, one that fits is padded', () => {
    expect(Decimal.parse('9.94').withType(2, 1).toString()).toBe('9.9');
    expect(() => Decimal.parse('9.95').withType(2, 1)).toThrow(DataError);
    expect(() => Decimal.parse('-10').withType(2, 1)).toThrow(DataError);
    expect(Decimal.parse('12.340').fits(4, 2)).toBe(true);
    expect(Decimal.parse('12.345').fits(4, 2)).toBe(false);
    expect(Decimal.parse('123').fits(4, 2)).toBe(false);
  });
});

describe('arithmetic', () => {
  test.each([
    ['10.10', '2.00', 7, '5.0500000'],
    ['1', '3', 6, '0.333333'],
    ['2', '3', 6, '0.666667'],
    ['-2', '3', 6, '-0.666667'],
    ['2', '-3', 0, '-1'],
    ['12345', '0.001', 0, '12345000'],
  ])('%s / %s at scale %i is %s', (a, b, scale, quotient) => {
    expect(Decimal.parse(a).div(Decimal.parse(b), scale).toString()).toBe(quotient);
  });

  test('the remainder has the sign of the dividend', () => {
    expect(Decimal.parse('10.10').mod(Decimal.parse('-2.00')).toString()).toBe('0.10');
    expect(Decimal.parse('-7.5').mod(Decimal.parse('2')).toString()).toBe('-1.5');
  });

  test('division by zero is refused', () => {
    expect(() => Decimal.parse('1').div(Decimal.parse('0.00'), 2)).toThrow(DataError);
    expect(() => Decimal.parse('1').mod(Decimal.parse('0'))).toThrow(DataError);
  });

  test('sums, differences and products are exact', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        expect(a.add(b).sub(b).equals(a)).toBe(true);
        expect(a.add(b).scale).toBe(Math.max(a.scale, b.scale));
        const product = a.mul(b);
        expect(product.scale).toBe(a.scale + b.scale);
        if (b.unscaled !== 0n) expect(product.div(b, a.scale).equals(a)).toBe(true);
      }),
    );
  });

  test('order is that of the numbers', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        expect(Math.sign(a.compare(b))).toBe(a.sub(b).sign());
      }),
    );
    expect(Decimal.parse('1.0').equals(Decimal.parse('1.00'))).toBe(true);
  });

  test('floor and ceil', () => {
    expect(['-1.5', '-1.0', '1.5', '0.2'].map((text) => Decimal.parse(text).floor().toString())).toEqual([
      '-2',
      '-1',
      '1',
      '0',
    ]);
    expect(['-1.5', '-1.0', '1.5', '0.2'].map((text) => Decimal.parse(text).ceil().toString())).toEqual([
      '-1',
      '-1',
      '2',
      '1',
    ]);
  });
});

describe('doubles', () => {
  test('the binary value is exact', () => {
    expect(Decimal.fromDouble(0.1).toString()).toBe(
      '0.1000000000000000055511151231257827021181583404541015625',
    );
    expect(Decimal.fromDouble(-2.5).toString()).toBe('-2.5');
    expect(Decimal.fromDouble(1e21).toString()).toBe('1000000000000000000000');
    expect(() => Decimal.fromDouble(Number.NaN)).toThrow(DataError);
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Decimal.fromDouble(value).toNumber()).toBe(value + 0);
      }),
    );
  });
});
