import { describe, expect, test } from 'vitest';
import { DataError } from '../../../../src/common/error.ts';
import { parseFirstJson, printJson } from '../../../../src/types/json-node.ts';
import { Decimal } from '../../../../src/types/decimal.ts';
import {
  array,
  BIGINT,
  BOOLEAN,
  BYTES,
  decimal,
  DOUBLE,
  INTEGER,
  map,
  STRING,
  struct,
  TIMESTAMP,
} from '../../../../src/types/sql-type.ts';
import { call, type Given } from '../call.ts';

const s = (value: string | null): Given => [STRING, value];

describe('EXTRACTJSONFIELD', () => {
  const extract = (json: string, path: string): unknown => call('EXTRACTJSONFIELD', s(json), s(path));

  test.each([
    ['{"a": {"b": ["x", 2]}}', '$.a.b[0]', 'x'],
    ['{"a": {"b": ["x", 2]}}', '$.a.b', '["x",2]'],
    ['{"a": {"c d": 1.23450}}', "$.a['c d']", '1.23450'],
    ['{"a": {"c d": 12345678901234567890}}', '$["a"]["c d"]', '12345678901234567890'],
    // Numbers as Java's BigDecimal prints them, as in columns of type STRING.
    ['{"a": 0.00000001}', '$.a', '1E-8'],
    ['{"a": [-0, -0.0, 1e3]}', '$.a', '[0,0.0,1E+3]'],
    ['{"@type": "UDF"}}', '$.@type', 'UDF'],
    ['{"a": null}', '$.a', 'null'],
    ['{"a": true}', '$.a', 'true'],
    ['{"a": 1}', '$.b', null],
    ['[1, 2]', '$[2]', null],
    ['{"a": "x"}', '$.a.b', null],
    ['{"constructor": 1}', '$.toString', null],
    ['"x"', '$', 'x'],
  ])('%s at %s', (json, path, expected) => {
    expect(extract(json, path)).toBe(expected);
  });

  test('malformed JSON and paths are errors', () => {
    expect(() => extract('{"a": ', '$.a')).toThrow(DataError);
    expect(() => extract('{}', 'a')).toThrow(DataError);
    expect(() => extract('[1]', '$[-1]')).toThrow(DataError);
  });
});

describe('the JSON reader', () => {
  test('reads what JSON.parse reads, and nothing that it does not', () => {
    const good = ['1', '-5E+2', '"a\\u0041\\n"', '[]', '[1,[2]]', '{"a":{"b":[]},"c":"d"}', 'true', 'null'];
    for (const text of good)
      expect(printJson(parseFirstJson(` ${text} `)!)).toBe(text === good[2] ? '"aA\\n"' : text);
    for (const text of ['01', '-', '+1', '"\n"', '"\\x"', '[1,]', '{a:1}', '{"a"}', 'tru', "'a'", '1a', '[1'])
      expect(() => parseFirstJson(text), text).toThrow(DataError);
  });

  test('hostile nesting does not use up the stack', () => {
    expect(() => parseFirstJson('['.repeat(100_000))).toThrow(DataError);
  });
});

test('IS_JSON_STRING', () => {
  for (const json of ['1', '[1, 2, 3]', '"abc"', '{}'])
    expect(call('IS_JSON_STRING', s(json)), json).toBe(true);
  for (const json of ['abc', '', null]) expect(call('IS_JSON_STRING', s(json))).toBe(false);
});

test('JSON_ARRAY_CONTAINS is particular about types', () => {
  const contains = (json: string | null, given: Given): unknown =>
    call('JSON_ARRAY_CONTAINS', s(json), given);
  expect(contains('[1, 2]', [INTEGER, 2])).toBe(true);
  expect(contains('[9007199254740993]', [BIGINT, 9007199254740993n])).toBe(true);
  expect(contains('[1, 2]', [DOUBLE, 2])).toBe(false);
  expect(contains('[2.0]', [DOUBLE, 2])).toBe(true);
  expect(contains('[2.0]', [INTEGER, 2])).toBe(false);
  expect(contains('["a", false]', [BOOLEAN, false])).toBe(true);
  expect(contains('{"a": 1}', [INTEGER, 1])).toBe(false);
  expect(contains('[1', [INTEGER, 1])).toBe(false);
  expect(contains(null, [INTEGER, 1])).toBe(false);
  for (const type of [INTEGER, BIGINT, DOUBLE, STRING, BOOLEAN]) {
    expect(contains('[1, null]', [type, null])).toBe(true);
    expect(contains('[1]', [type, null])).toBe(false);
  }
});

test.each([
  [['{"a": 1}', '{"b": 2}'], '{"a":1,"b":2}'],
  [['{"a": {"5": 6}}', '{"a": {"3": 4}}'], '{"a":{"3":4}}'],
  [['[1, 2]', '{"a": 1}'], '[1,2,{"a":1}]'],
  [['null', 'null'], '[null,null]'],
  [['[1, [2]]', '[[[3]], [[[4]]]]'], '[1,[2],[[3]],[[[4]]]]'],
  [['1', ''], null],
  [['1', null], null],
])('JSON_CONCAT(%j)', (texts, expected) => {
  expect(call('JSON_CONCAT', ...texts.map(s))).toBe(expected);
});

test('JSON_ITEMS, JSON_KEYS, JSON_RECORDS, JSON_ARRAY_LENGTH', () => {
  expect(call('JSON_ITEMS', s('[{"type": "A"}, 1.0]'))).toEqual(['{"type":"A"}', '1.0']);
  expect(() => call('JSON_ITEMS', s('{}'))).toThrow(DataError);
  expect(call('JSON_KEYS', s('{"b": 1, "a": 2}'))).toEqual(['b', 'a']);
  expect(call('JSON_KEYS', s(''))).toBe(null);
  expect(call('JSON_RECORDS', s('{"b": "x", "a": [2]}'))).toEqual(
    new Map([
      ['b', 'x'],
      ['a', '[2]'],
    ]),
  );
  expect(call('JSON_RECORDS', s('[]'))).toBe(null);
  expect(call('JSON_ARRAY_LENGTH', s('[1, 2]'))).toBe(2);
  expect(call('JSON_ARRAY_LENGTH', s('{}'))).toBe(null);
});

test('TO_JSON_STRING', () => {
  const json = (...given: [Given]): unknown => call('TO_JSON_STRING', ...given);
  expect(json([TIMESTAMP, 60_220_000_000])).toBe('"1971-11-28T23:46:40.000"');
  expect(json([decimal(6, 3), Decimal.parse('123.450')])).toBe('123.450');
  expect(json([BYTES, Buffer.from('!')])).toBe('"IQ=="');
  expect(json([DOUBLE, 1])).toBe('1.0');
  expect(json([STRING, null])).toBe('null');
  const type = struct([
    { name: 'Z', type: map(STRING, array(INTEGER)) },
    { name: 'A', type: STRING },
  ]);
  expect(
    json([
      type,
      [
        new Map([
          ['b', [1]],
          ['a', null],
        ]),
        'x',
      ],
    ]),
  ).toBe('{"A":"x","Z":{"a":null,"b":[1]}}');
});

describe('URLs', () => {
  const url = 'http://test@confluent.io:8080/nested/p%20h?one=a&two=b%26&three#frag';
  test.each([
    ['PROTOCOL', 'http'],
    ['HOST', 'confluent.io'],
    ['PORT', 8080],
    ['PATH', '/nested/p h'],
    ['QUERY', 'one=a&two=b&&three'],
    ['FRAGMENT', 'frag'],
  ])('URL_EXTRACT_%s', (part, expected) => {
    expect(call(`URL_EXTRACT_${part}`, s(url))).toBe(expected);
  });

  test('what is missing is null, an empty path is empty', () => {
    expect(call('URL_EXTRACT_PATH', s('http://www.test.com?query'))).toBe('');
    expect(call('URL_EXTRACT_PORT', s('http://test@confluent.io'))).toBe(null);
    expect(call('URL_EXTRACT_PROTOCOL', s('www.confluent.io'))).toBe(null);
    expect(call('URL_EXTRACT_FRAGMENT', s('http://a.b'))).toBe(null);
    expect(call('URL_EXTRACT_HOST', s('mailto:a@b.c'))).toBe(null);
    expect(call('URL_EXTRACT_PATH', s('mailto:a@b.c'))).toBe(null);
  });

  test('parameters', () => {
    expect(call('URL_EXTRACT_PARAMETER', s(url), s('one'))).toBe('a');
    expect(call('URL_EXTRACT_PARAMETER', s(url), s('three'))).toBe('');
    expect(call('URL_EXTRACT_PARAMETER', s(url), s('four'))).toBe(null);
    expect(call('URL_DECODE_PARAM', s('%3Ffoo+%24bar'))).toBe('?foo $bar');
    expect(call('URL_ENCODE_PARAM', s("?foo $bar~(*)'ü"))).toBe('%3Ffoo+%24bar%7E%28*%29%27%C3%BC');
    expect(() => call('URL_DECODE_PARAM', s('%zz'))).toThrow(DataError);
  });

  test.each(['http://a b', 'http://a/%zz', 'a{b}', ':x'])('%s is no URL', (text) => {
    expect(() => call('URL_EXTRACT_HOST', s(text))).toThrow(DataError);
  });
});

test('numbers from bytes', () => {
  const bytes = (hex: string): Given => [BYTES, Buffer.from(hex, 'hex')];
  expect(call('INT_FROM_BYTES', bytes('000007e5'))).toBe(2021);
  expect(call('INT_FROM_BYTES', bytes('e5070000'), s('LITTLE_ENDIAN'))).toBe(2021);
  expect(call('BIGINT_FROM_BYTES', bytes('7fffffffffffffff'))).toBe(2n ** 63n - 1n);
  expect(call('BIGINT_FROM_BYTES', bytes('ffffffffffffffff'))).toBe(-1);
  expect(call('DOUBLE_FROM_BYTES', [BYTES, Buffer.from('QICm/ZvJ9YI=', 'base64')])).toBe(532.8738323);
  expect(() => call('INT_FROM_BYTES', bytes('0007e5'))).toThrow(DataError);
  expect(() => call('INT_FROM_BYTES', bytes('000007e5'), s('MIDDLE'))).toThrow(DataError);
});

test('GEO_DISTANCE', () => {
  const distance = (lat1: number, lon1: number, lat2: number, lon2: number, ...more: Given[]): unknown =>
    call('GEO_DISTANCE', [DOUBLE, lat1], [DOUBLE, lon1], [DOUBLE, lat2], [DOUBLE, lon2], ...more);
  expect(distance(37.4439, -122.1663, 51.5257, -0.1122, s(null))).toBe(8634.659796579544);
  expect(distance(37.4439, -122.1663, 51.5257, -0.1122, s('MI'))).toBe(5365.659729188262);
  expect(distance(39.18660374, -76.73262144, 39.18660374, -76.73222145)).toBe(0.03447366811448324);
  expect(() => distance(91, 0, 0, 0)).toThrow(DataError);
  expect(() => distance(0, 0, 0, 0, s('ells'))).toThrow(DataError);
});

test('conditionals', () => {
  expect(call('COALESCE', null, [INTEGER, null], [INTEGER, 7])).toBe(7);
  expect(call('IFNULL', [STRING, null], s('x'))).toBe('x');
  expect(call('NULLIF', [array(INTEGER), [1]], [array(INTEGER), [1]])).toBe(null);
  expect(call('NULLIF', s('a'), null)).toBe('a');
  expect(call('AS_VALUE', s(null))).toBe(null);
});

// As Java's BigDecimal prints them.
test.each([
  ['1e5', '1E+5'],
  ['1.5e3', '1.5E+3'],
  ['1.50e1', '15.0'],
  ['15e-1', '1.5'],
  ['1e-2', '0.01'],
  ['1e-7', '1E-7'],
  ['12.5e-8', '1.25E-7'],
  ['0e5', '0E+5'],
  ['0e-3', '0.000'],
  ['0.0e2', '0E+1'],
  ['-1E+2', '-1E+2'],
  ['100e-2', '1.00'],
  ['1.23e2', '123'],
  ['1.23e5', '1.23E+5'],
  ['5E0', '5'],
  ['0.001e1', '0.01'],
  ['0.0000001e0', '1E-7'],
  ['1e20', '1E+20'],
])('the JSON number %s is %s', (text, printed) => {
  expect(call('JSON_ITEMS', s(`[${text}]`))).toEqual([printed]);
  expect(call('EXTRACTJSONFIELD', s(`{"a": ${text}}`), s('$.a'))).toBe(printed);
});
