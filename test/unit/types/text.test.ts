import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/common/error.ts';
import { Decimal } from '../../../src/types/decimal.ts';
import { doubleText, parseDouble } from '../../../src/types/double-text.ts';
import { jsonText } from '../../../src/types/json-value.ts';
import { printType } from '../../../src/types/print-type.ts';
import { printValue } from '../../../src/types/print-value.ts';
import {
  array,
  BIGINT,
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
import {
  civilOf,
  dateText,
  daysOf,
  parseDate,
  parseTime,
  parseTimestamp,
  timeText,
  timestampText,
} from '../../../src/types/temporal.ts';
import type { SqlValue } from '../../../src/types/value.ts';

describe('double text', () => {
  test.each([
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [-12.5, '-12.5'],
    [0.001, '0.001'],
    [0.00099, '9.9E-4'],
    [9999999, '9999999.0'],
    [1e7, '1.0E7'],
    [12345678.9, '1.23456789E7'],
    [1e21, '1.0E21'],
    [5e-324, '4.9E-324'],
    [-1e-323, '-9.9E-324'],
    [2e-323, '2.0E-323'],
    [1.7976931348623157e308, '1.7976931348623157E308'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('%d is %s', (value, text) => {
    expect(doubleText(value)).toBe(text);
  });

  test('reads back as the same double', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(parseDouble(doubleText(value))).toBe(value);
      }),
    );
  });

  test.each(['', 'abc', '1d', '0x1p3', '1e', '--1'])('%j is no double', (text) => {
    expect(parseDouble(text)).toBeUndefined();
  });
});

describe('dates and times', () => {
  test('civil dates are those of the machine, over 8,000 years', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1_400_000, max: 1_400_000 }), (days) => {
        const date = new Date(days * 86_400_000);
        const civil = civilOf(days);
        expect(civil).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
        });
        expect(daysOf(civil.year, civil.month, civil.day)).toBe(days);
        expect(parseDate(dateText(days))).toBe(days);
      }),
    );
  });

  test('timestamps read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -60_000_000_000_000, max: 250_000_000_000_000 }), (epochMs) => {
        expect(parseTimestamp(timestampText(epochMs))).toBe(epochMs);
      }),
    );
  });

  test.each([
    ['2018', 1514764800000],
    ['2020-02', 1580515200000],
    ['2020-02-23T23', 1582498800000],
    ['2020-02-23T24', 1582502400000],
    ['2020-02-23T24:00:00.000', 1582502400000],
    ['2018-01-01T00:00:00.001', 1514764800001],
    ['2019-01-01T00:00:00+0445', 1546283700000],
    ['2020-02-10T08:31:44.011+0000', 1581323504011],
    ['2022-04-28T21:44:47.943Z', 1651182287943],
    ['1970-01-01T00:00:00.1234567', 123],
  ])('%s', (text, epochMs) => {
    expect(parseTimestamp(text)).toBe(epochMs);
  });

  test.each([
    'foo',
    '',
    '2020-13',
    '2020-02-30',
    '2020-01-01T24:01',
    '2020-01-01T25',
    '2020-01-01 00:00',
    '2020-01-01T00:00:00+9900',
  ])('%j is no timestamp', (text) => {
    expect(() => parseTimestamp(text)).toThrow(DataError);
  });

  test('times of day', () => {
    expect(parseTime('00:00:00.010')).toBe(10);
    expect(parseTime('00:01')).toBe(60_000);
    expect(timeText(4000)).toBe('00:00:04');
    expect(timeText(60_999)).toBe('00:01');
    expect(timeText(86_399_999)).toBe('23:59:59');
    for (const text of ['foo', '24:00', '1:00', '10', '10:61'])
      expect(() => parseTime(text)).toThrow(DataError);
    expect(() => parseDate('2020-01-01T00:00')).toThrow(DataError);
  });
});

const nested = struct([
  { name: 'A', type: INTEGER },
  { name: 'b c', type: array(map(STRING, decimal(6, 2))) },
]);

test('types print as SQL', () => {
  expect(printType(nested)).toBe('STRUCT<A INTEGER, `b c` ARRAY<MAP<STRING, DECIMAL(6, 2)>>>');
  expect(printType(struct([{ name: 'x`y', type: BYTES }]))).toBe('STRUCT<`x``y` BYTES>');
});

test.each<[SqlType, SqlValue, string, string]>([
  [INTEGER, -5, '-5', '-5'],
  [BIGINT, 9223372036854775807n, '9223372036854775807', '9223372036854775807'],
  [DOUBLE, 1e10, '1.0E10', '1.0E10'],
  [DOUBLE, Number.NaN, 'NaN', '"NaN"'],
  [decimal(6, 3), Decimal.parse('1.200'), '1.200', '1.200'],
  [STRING, 'a"b', 'a"b', '"a\\"b"'],
  [BYTES, Buffer.from('{'), 'ew==', '"ew=="'],
  [DATE, -1, '1969-12-31', '"1969-12-31"'],
  [TIME, 4000, '00:00:04', '"00:00:04"'],
  [TIMESTAMP, 10, '1970-01-01T00:00:00.010', '"1970-01-01T00:00:00.010"'],
  [array(STRING), ['x', null], '[x, null]', '["x",null]'],
  [map(STRING, INTEGER), new Map([['this', 1]]), '{this=1}', '{"this":1}'],
  [nested, [1, null], 'Struct{A=1}', '{"A":1,"b c":null}'],
  [nested, null, 'null', 'null'],
])('%o %o prints', (type, value, printed, json) => {
  expect(printValue(type, value)).toBe(printed);
  expect(jsonText(type)(value)).toBe(json);
});
