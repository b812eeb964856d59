import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/common/error.ts';
import { openCast } from '../../../src/types/cast.ts';
import { openComparison, openEquality, openOrder } from '../../../src/types/compare-values.ts';
import { Decimal } from '../../../src/types/decimal.ts';
import { equalTypes } from '../../../src/types/equal-types.ts';
import {
  arithmeticType,
  canWiden,
  commonType,
  commonTypeOf,
  decimalResultType,
} from '../../../src/types/implicit-cast.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  struct,
  TIME,
  TIMESTAMP,
  type SqlType,
} from '../../../src/types/sql-type.ts';
import type { SqlValue } from '../../../src/types/value.ts';

function cast(from: SqlType, to: SqlType, value: SqlValue): SqlValue {
  return openCast(from, to)!(value);
}

const dec = (text: string): Decimal => Decimal.parse(text);

describe('cast', () => {
  test.each<[SqlType, SqlType, SqlValue, SqlValue]>([
    [BIGINT, INTEGER, 2147483648, -2147483648],
    [DOUBLE, INTEGER, 1.2, 1],
    [DOUBLE, BIGINT, -1.9, -1],
    [BIGINT, DOUBLE, 2n ** 60n, 2 ** 60],
    [decimal(4, 2), INTEGER, dec('10.99'), 10],
    [decimal(4, 2), DOUBLE, dec('10.01'), 10.01],
    [decimal(4, 2), STRING, dec('0.01'), '0.01'],
    [STRING, INTEGER, ' 12 ', 12],
    [STRING, BIGINT, '9223372036854775807', 9223372036854775807n],
    [STRING, DOUBLE, '1e3', 1000],
    [STRING, BOOLEAN, 'T', true],
    [STRING, BOOLEAN, 'yE', true],
    [STRING, BOOLEAN, 'truex', false],
    [STRING, BOOLEAN, '', false],
    [STRING, BYTES, 'ew==', Buffer.from('{')],
    [STRING, DATE, '1970-01-11', 10],
    [STRING, TIME, '00:01', 60_000],
    [STRING, TIMESTAMP, '1970-01-01T00:00:01', 1000],
    [TIMESTAMP, DATE, -2000, -1],
    [TIMESTAMP, TIME, -2000, 86_398_000],
    [DATE, TIMESTAMP, 1, 86_400_000],
    [BOOLEAN, STRING, true, 'true'],
    [array(BIGINT), array(INTEGER), [1, 2147483648], [1, -2147483648]],
    [array(BIGINT), array(STRING), [1, null], ['1', null]],
    [map(STRING, STRING), map(STRING, INTEGER), new Map([['k', '10']]), new Map([['k', 10]])],
    [
      struct([
        { name: 'F0', type: INTEGER },
        { name: 'f1', type: INTEGER },
      ]),
      struct([
        { name: 'F0', type: STRING },
        { name: 'F3', type: STRING },
      ]),
      [1, 3],
      ['1', null],
    ],
  ])('%o to %o of %o', (from, to, value, result) => {
    expect(cast(from, to, value)).toEqual(result);
    expect(cast(from, to, null)).toBeNull();
  });

  test.each<[SqlType, SqlValue, string]>([
    [DOUBLE, 0.99, '1.0'],
    [DOUBLE, 0.01, '0.0'],
    [STRING, '0.99', '1.0'],
    [INTEGER, -1, '-1.0'],
    [decimal(4, 2), dec('9.94'), '9.9'],
  ])('%o %o to DECIMAL(2,1)', (from, value, text) => {
    expect((cast(from, decimal(2, 1), value) as Decimal).toString()).toBe(text);
  });

  test.each<[SqlType, SqlType, SqlValue]>([
    [STRING, INTEGER, '1.5'],
    [STRING, INTEGER, '2147483648'],
    [STRING, DOUBLE, 'abc'],
    [STRING, BYTES, '%%%'],
    [STRING, DATE, 'foo'],
    [INTEGER, decimal(2, 1), 10],
    [DOUBLE, decimal(2, 1), Number.POSITIVE_INFINITY],
  ])('%o to %o refuses %o', (from, to, value) => {
    expect(() => cast(from, to, value)).toThrow(DataError);
  });

  test.each<[SqlType, SqlType]>([
    [INTEGER, BOOLEAN],
    [BOOLEAN, INTEGER],
    [BYTES, STRING],
    [STRING, array(STRING)],
    [STRING, map(STRING, INTEGER)],
    [STRING, struct([{ name: 'F0', type: STRING }])],
    [TIMESTAMP, BIGINT],
    [BIGINT, TIMESTAMP],
    [TIME, DATE],
    [array(BYTES), array(INTEGER)],
    [struct([{ name: 'A', type: BYTES }]), struct([{ name: 'A', type: INTEGER }])],
  ])('%o to %o does not exist', (from, to) => {
    expect(openCast(from, to)).toBeNull();
  });
});

describe('implicit types', () => {
  test('result types of decimals', () => {
    const four = decimal(4, 2);
    expect(decimalResultType('+', four, decimal(3, 1))).toEqual(decimal(5, 2));
    expect(decimalResultType('*', four, four)).toEqual(decimal(9, 4));
    expect(decimalResultType('/', four, four)).toEqual(decimal(11, 7));
    expect(decimalResultType('%', four, decimal(3, 2))).toEqual(decimal(3, 2));
    expect(arithmeticType('+', four, INTEGER)).toEqual(decimal(13, 2));
    expect(arithmeticType('+', INTEGER, BIGINT)).toEqual(BIGINT);
    expect(arithmeticType('+', four, DOUBLE)).toEqual(DOUBLE);
    expect(arithmeticType('+', STRING, STRING)).toEqual(STRING);
    expect(arithmeticType('-', STRING, STRING)).toBeNull();
    expect(arithmeticType('+', STRING, INTEGER)).toBeNull();
  });

  test('common types', () => {
    expect(commonType(INTEGER, BIGINT)).toEqual(BIGINT);
    expect(commonType(INTEGER, decimal(4, 2))).toEqual(decimal(12, 2));
    expect(commonType(decimal(4, 2), decimal(5, 1))).toEqual(decimal(6, 2));
    expect(commonTypeOf([INTEGER, decimal(4, 2), DOUBLE])).toEqual(DOUBLE);
    expect(commonType(STRING, INTEGER)).toBeNull();
    expect(commonType(array(INTEGER), array(BIGINT))).toEqual(array(BIGINT));
    expect(
      commonType(
        struct([{ name: 'A', type: INTEGER }]),
        struct([
          { name: 'B', type: STRING },
          { name: 'A', type: BIGINT },
        ]),
      ),
    ).toEqual(
      struct([
        { name: 'A', type: BIGINT },
        { name: 'B', type: STRING },
      ]),
    );
  });

  test('widening', () => {
    expect(canWiden(INTEGER, DOUBLE)).toBe(true);
    expect(canWiden(DOUBLE, decimal(38, 10))).toBe(false);
    expect(canWiden(BIGINT, INTEGER)).toBe(false);
    expect(canWiden(INTEGER, decimal(10, 0))).toBe(true);
    expect(canWiden(INTEGER, decimal(10, 2))).toBe(false);
    expect(canWiden(decimal(4, 2), decimal(5, 2))).toBe(true);
    expect(canWiden(decimal(4, 2), decimal(4, 3))).toBe(false);
    expect(canWiden(array(INTEGER), array(BIGINT))).toBe(true);
    expect(canWiden(STRING, DATE)).toBe(false);
  });

  test('equal types', () => {
    expect(equalTypes(decimal(4, 2), decimal(4, 1))).toBe(false);
    expect(equalTypes(struct([{ name: 'A', type: INTEGER }]), struct([{ name: 'a', type: INTEGER }]))).toBe(
      false,
    );
    expect(equalTypes(map(STRING, array(INTEGER)), map(STRING, array(INTEGER)))).toBe(true);
  });
});

describe('comparison', () => {
  test.each<[SqlType, SqlValue, SqlType, SqlValue, number]>([
    [INTEGER, 1, BIGINT, 2n ** 60n, -1],
    [BIGINT, 2n ** 60n + 1n, BIGINT, 2n ** 60n, 1],
    [INTEGER, 1, DOUBLE, 1, 0],
    [decimal(4, 2), dec('1.00'), INTEGER, 1, 0],
    [decimal(4, 2), dec('1.01'), DOUBLE, 1.02, -1],
    [DOUBLE, 1.02, decimal(4, 2), dec('1.01'), 1],
    [DATE, 10, TIMESTAMP, 864_000_000, 0],
    [TIMESTAMP, 863_999_999, DATE, 10, -1],
    [STRING, 'b', STRING, 'a', 1],
    [BYTES, Buffer.from([1, 255]), BYTES, Buffer.from([1, 2]), 1],
  ])('%o %o with %o %o', (leftType, left, rightType, right, order) => {
    expect(Math.sign(openComparison(leftType, rightType)!(left, right))).toBe(order);
  });

  test('NaN has no order and equals nothing, alone', () => {
    expect(openComparison(DOUBLE, DOUBLE)!(Number.NaN, 1)).toBeNaN();
    expect(openEquality(DOUBLE)(Number.NaN, Number.NaN)).toBe(false);
    expect(openEquality(array(DOUBLE))([Number.NaN], [Number.NaN])).toBe(true);
    expect([2, Number.NaN, null, 1].sort(openOrder(DOUBLE))).toEqual([null, 1, 2, Number.NaN]);
  });

  test('no order between other types', () => {
    for (const [left, right] of [
      [STRING, INTEGER],
      [BOOLEAN, BOOLEAN],
      [array(INTEGER), array(INTEGER)],
      [DATE, TIME],
    ] as const)
      expect(openComparison(left, right)).toBeNull();
  });

  test('deep equality', () => {
    const type = struct([
      { name: 'M', type: map(STRING, array(decimal(4, 2))) },
      { name: 'B', type: BYTES },
    ]);
    const equal = openEquality(type);
    const value = (text: string, bytes: number[]): SqlValue => [
      new Map<SqlValue, SqlValue>([
        ['a', [dec(text), null]],
        ['b', null],
      ]),
      Uint8Array.from(bytes),
    ];
    const other: SqlValue = [
      new Map<SqlValue, SqlValue>([
        ['b', null],
        ['a', [dec('1.50'), null]],
      ]),
      Buffer.from([1]),
    ];
    expect(equal(value('1.50', [1]), other)).toBe(true);
    expect(equal(value('1.51', [1]), other)).toBe(false);
    expect(equal(value('1.50', [2]), other)).toBe(false);
    expect(equal(null, other)).toBe(false);
    expect(equal(null, null)).toBe(true);
  });

  test('arrays order by their elements, then by length', () => {
    const order = openOrder(array(INTEGER));
    expect(order([1, 2], [1, 3])).toBeLessThan(0);
    expect(order([1], [1, 0])).toBeLessThan(0);
    expect(order([2], [1, 9])).toBeGreaterThan(0);
  });
});
