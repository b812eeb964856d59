import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../src/common/bytes.ts';
import { DataError, SqlError } from '../../../src/common/error.ts';
import type { FormatSettings, WantedColumn } from '../../../src/formats/format.ts';
import { openCoerce } from '../../../src/formats/json-coerce.ts';
import { parseJson } from '../../../src/types/json-node.ts';
import { json } from '../../../src/formats/json.ts';
import { Decimal } from '../../../src/types/decimal.ts';
import type { Column } from '../../../src/types/schema.ts';
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
import { comparable, types, valuesOf } from '../../harness/arbitrary-values.ts';

const wrapped: FormatSettings = { isKey: false, wrapped: true, properties: new Map() };
const unwrapped: FormatSettings = { isKey: false, wrapped: false, properties: new Map() };

function all(columns: readonly Column[]): WantedColumn[] {
  return columns.map((_, column) => ({ column, slot: column, raw: -1 }));
}

function decode(columns: readonly Column[], text: string | Uint8Array, settings = wrapped): SqlValue[] {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const row: SqlValue[] = columns.map(() => 'untouched');
  json.openDecoder(columns, settings, all(columns)).decode(bytes, 0, bytes.length, row);
  return row;
}

function decodeOne(type: SqlType, text: string): SqlValue {
  return decode([{ name: 'A', type }], `{"A":${text}}`)[0]!;
}

function encode(columns: readonly Column[], row: SqlValue[], settings = wrapped): string {
  const writer = new ByteWriter(4);
  json.openEncoder(columns, settings).encode(
    row,
    columns.map((_, i) => i),
    writer,
  );
  return writer.toBytes().toString();
}

describe('coercion', () => {
  test.each<[SqlType, string, unknown]>([
    [BOOLEAN, 'true', true],
    [INTEGER, '-12', -12],
    [INTEGER, '"12"', 12],
    [INTEGER, '1.9', 1],
    [INTEGER, '-0', 0],
    [INTEGER, '2147483647', 2147483647],
    [BIGINT, '9223372036854775807', 9223372036854775807n],
    [BIGINT, '-9223372036854775808', -9223372036854775808n],
    [BIGINT, '1e3', 1000],
    [BIGINT, '"10"', 10],
    [BIGINT, '9007199254740993', 9007199254740993n],
    [DOUBLE, '12', 12],
    [DOUBLE, '0.1', 0.1],
    [DOUBLE, '"1.5"', 1.5],
    [DOUBLE, '123456789.123456789012', Number('123456789.123456789012')],
    [DOUBLE, '1e300', 1e300],
    [STRING, '"x"', 'x'],
    [STRING, '""', ''],
    [STRING, '"a\\u00e9\\n"', 'aé\n'],
    [STRING, '12.50', '12.50'],
    [STRING, '1e3', '1E+3'],
    [STRING, '0.0000001', '1E-7'],
    [STRING, 'true', 'true'],
    [STRING, '[1, "a", null]', '[1, a, null]'],
    [STRING, '{"a": [1.0, null]}', '{"a":[1.0,null]}'],
    [DATE, '-10', -10],
    [TIME, '10', 10],
    [TIMESTAMP, '"1500000000000"', 1500000000000],
    [array(STRING), '[1,"2",null]', ['1', '2', null]],
    [
      map(STRING, INTEGER),
      '{"a":1,"b":null}',
      new Map([
        ['a', 1],
        ['b', null],
      ]),
    ],
    [
      struct([
        { name: 'F0', type: INTEGER },
        { name: 'f1', type: INTEGER },
      ]),
      '{"f0":1,"f1":3}',
      [1, 3],
    ],
    [DOUBLE, 'null', null],
  ])('%o from %s', (type, text, value) => {
    expect(decodeOne(type, text)).toEqual(value);
  });

  test('BYTES and DECIMAL', () => {
    expect(Buffer.from(decodeOne(BYTES, '"dmFyaWF0aW9ucw=="') as Uint8Array).toString()).toBe('variations');
    for (const [text, printed] of [
      ['10', '10.0000'],
      ['0.1', '0.1000'],
      ['"10.0"', '10.0000'],
      ['12.00000', '12.0000'],
      ['1e1', '10.0000'],
      ['-0.5', '-0.5000'],
    ])
      expect((decodeOne(decimal(6, 4), text!) as Decimal).toString()).toBe(printed);
    expect((decodeOne(decimal(30, 10), '12345678901234567890.0123456789') as Decimal).toString()).toBe(
      '12345678901234567890.0123456789',
    );
  });

  test.each<[SqlType, string, string]>([
    [BOOLEAN, '"true"', 'field A: expected BOOLEAN, found text "true"'],
    [BOOLEAN, '1', 'field A: expected BOOLEAN, found number 1'],
    [INTEGER, '2147483648', 'field A: expected INTEGER, found number 2147483648'],
    [INTEGER, '""', 'field A: expected INTEGER, found text ""'],
    [INTEGER, 'true', 'field A: expected INTEGER, found true'],
    [BIGINT, '9223372036854775808', 'field A: expected BIGINT, found number 9223372036854775808'],
    [DOUBLE, '{}', 'field A: expected DOUBLE, found an object'],
    [decimal(4, 2), '1.234', 'field A: expected DECIMAL(4, 2), found number 1.234'],
    [decimal(4, 2), '123', 'field A: expected DECIMAL(4, 2), found number 123'],
    [BYTES, '"%"', 'field A: expected BYTES, found text "%"'],
    [TIME, '86400000', 'field A: expected TIME, found number 86400000'],
    [array(INTEGER), '[1,"x"]', 'field A[]: expected INTEGER, found text "x"'],
    [map(STRING, INTEGER), '[]', 'field A: expected MAP<STRING, INTEGER>, found an array'],
    [struct([{ name: 'B', type: INTEGER }]), '{"B":[]}', 'field A.B: expected INTEGER, found an array'],
  ])('%o refuses %s', (type, text, message) => {
    expect(() => decodeOne(type, text)).toThrow(new DataError(message));
  });
});

describe('fields', () => {
  const columns: Column[] = [
    { name: 'A', type: INTEGER },
    { name: 'b', type: STRING },
  ];
  test.each([
    ['{"A":1,"b":"x"}', [1, 'x']],
    ['{ "b" : "x" , "A" : 1 }\n', [1, 'x']],
    ['{"a":1}', [1, null]],
    ['{"a":1,"A":2}', [2, null]],
    ['{"A":2,"a":1}', [2, null]],
    ['{"A":1,"A":3}', [3, null]],
    ['{"a":"no number","A":3}', [3, null]],
    ['{"\\u0041":4}', [4, null]],
    ['{"B":"not upper case, so not it"}', [null, null]],
    ['{}', [null, null]],
    ['{"other":{"A":7},"A":1}', [1, null]],
    ['null', [null, null]],
    ['', [null, null]],
  ])('%s', (text, row) => {
    expect(decode(columns, text)).toEqual(row);
  });

  test('names that differ in case only each get their own, or the other by upper-casing', () => {
    const both: Column[] = [
      { name: 'FOO', type: INTEGER },
      { name: 'foo', type: INTEGER },
    ];
    expect(decode(both, '{"foo":1,"FOO":2}')).toEqual([2, 1]);
    expect(decode(both, '{"foo":1}')).toEqual([1, 1]);
  });

  test('the order of fields may change from record to record', () => {
    const decoder = json.openDecoder(columns, wrapped, all(columns));
    const row: SqlValue[] = [null, null];
    const texts = [
      '{"A":1,"b":"x"}',
      '{"b":"y","A":2}',
      '{"c":0,"a":3}',
      '{"Ab":9,"b":"z"}',
      '{"A":5,"b":"x"}',
      '{"A": 6, "b":"x"}',
    ];
    const rows = texts.map((text) => {
      const bytes = Buffer.from(`##${text}{"A":`);
      decoder.decode(bytes, 2, 2 + Buffer.byteLength(text), row);
      return [...row];
    });
    expect(rows).toEqual([
      [1, 'x'],
      [2, 'y'],
      [3, null],
      [null, 'z'],
      [5, 'x'],
      [6, 'x'],
    ]);
  });

  test('a column may be wanted more than once', () => {
    const decoder = json.openDecoder(columns, wrapped, [
      { column: 1, slot: 0, raw: -1 },
      { column: 1, slot: 2, raw: 1 },
      { column: 1, slot: -1, raw: 0 },
    ]);
    const row: SqlValue[] = [null, null, null];
    const bytes = Buffer.from('{"b":"x"}');
    decoder.decode(bytes, 0, bytes.length, row);
    expect(row).toEqual(['x', null, 'x']);
    expect([...decoder.rawRanges!]).toEqual([5, 8, 5, 8]);
  });
});

describe('malformed records', () => {
  const columns: Column[] = [
    { name: 'A', type: INTEGER },
    { name: 'S', type: STRING },
  ];
  test.each(
    [
      '{',
      '{"A"',
      '{"A":',
      '{"A":1',
      '{"A":1,',
      '{"A":1,}',
      '{"A":1}x',
      '{"A":1}{"A":1}',
      '{"A":01}',
      '{"A":1.}',
      '{"A":-}',
      '{"A":+1}',
      '{"A":NaN}',
      '{"A":1 2}',
      '{A:1}',
      "{'A':1}",
      '{"S":"a',
      '{"S":"a\\',
      '{"S":"a\\x"}',
      '{"S":"a\\u12"}',
      '{"S":"a\nb"}',
      '{"X":"a\nb"}',
      '{"X":tru}',
      '{"X":[1,]}',
      '{"X":[1}',
      '{"X":1.2.3}',
      '{"X":{"a"}}',
      '[]',
      '1',
      '"A"',
      '   ',
      `{"X":${'['.repeat(100_000)}`,
      `{"X":${'['.repeat(1100)}${']'.repeat(1100)}}`,
      `{"S":${'['.repeat(1100)}${']'.repeat(1100)}}`,
    ].map((text) => [text.slice(0, 40), text] as const),
  )('%j', (_title, text) => {
    expect(() => decode(columns, text)).toThrow(DataError);
  });

  test('bytes that are no UTF-8, in a wanted or other field', () => {
    for (const name of ['S', 'X'])
      for (const value of ['"a\x80b"', '["a\xc3"]', '"\xff"']) {
        const bytes = Buffer.from(`{"${name}":${value},"A":1}`, 'latin1');
        expect(() => decode(columns, bytes)).toThrow(DataError);
      }
  });

  test('nesting within the limit is read', () => {
    const deep = `${'['.repeat(900)}${']'.repeat(900)}`;
    expect(decode(columns, `{"X":${deep},"A":1}`)).toEqual([1, null]);
  });

  test('every prefix of a record is refused', () => {
    const text = '{"A": 12, "S": "x\\"é", "X": [true, {"y": -1.5e3}]}';
    const bytes = Buffer.from(text);
    expect(decode(columns, bytes)).toEqual([12, 'x"é']);
    for (let size = 1; size < bytes.length; size++)
      expect(() => decode(columns, bytes.subarray(0, size)), `${size} bytes`).toThrow(DataError);
  });
});

test.each<[SqlType, readonly string[], string]>([
  // What was learned of a value that had to be looked at again, and below names that change.
  [
    struct([
      { name: 'B', type: INTEGER },
      { name: 'C', type: INTEGER },
    ]),
    ['{"B":"\\u0031","C":1}', '{"B":1,"C":1}'],
    '{"B":1,"C":"x"}',
  ],
  [
    map(STRING, struct([{ name: 'É', type: INTEGER }])),
    ['{"x":{"o":1}}', '{"y":{"o":1}}', '{"z":{"o":1},"É":{"É":1}}'],
    '{"u":{"É":"x"}}',
  ],
])('a column of %o that nobody wants is checked as ever after others', (type, good, bad) => {
  const decoder = json.openDecoder([{ name: 'A', type }], wrapped, []);
  const read = (text: string): void => {
    const bytes = Buffer.from(`{"A":${text}}`);
    decoder.decode(bytes, 0, bytes.length, []);
  };
  for (const text of good) for (let i = 0; i < 70; i++) expect(() => read(text)).not.toThrow();
  expect(() => read(bad)).toThrow(DataError);
});

describe('unwrapped', () => {
  test.each<[SqlType, string, SqlValue]>([
    [INTEGER, '10', 10],
    [INTEGER, ' 10 ', 10],
    [INTEGER, 'null', null],
    [STRING, '"hello"', 'hello'],
    [STRING, '"hé"', 'hé'],
    [array(INTEGER), '[1,2]', [1, 2]],
    [struct([{ name: 'F1', type: STRING }]), '{"F1":"bar"}', ['bar']],
  ])('%o %s', (type, text, value) => {
    expect(decode([{ name: 'A', type }], text, unwrapped)).toEqual([value]);
  });

  test.each(['10 20', '1x', '{', '"a'])('refuses %s', (text) => {
    expect(() => decode([{ name: 'A', type: STRING }], text, unwrapped)).toThrow(DataError);
  });

  test('a number is not read beyond its record', () => {
    const decoder = json.openDecoder([{ name: 'A', type: INTEGER }], unwrapped, [
      { column: 0, slot: 0, raw: -1 },
    ]);
    const row: SqlValue[] = [null];
    decoder.decode(Buffer.from('123456'), 0, 3, row);
    expect(row).toEqual([123]);
  });
});

describe('encoding', () => {
  test('columns in order under exact names, nulls written, numbers as Java prints them', () => {
    const columns: Column[] = [
      { name: 'I', type: INTEGER },
      { name: 'b"c', type: BIGINT },
      { name: 'D', type: DOUBLE },
      { name: 'E', type: DOUBLE },
      { name: 'N', type: DOUBLE },
      { name: 'DEC', type: decimal(6, 4) },
      { name: 'S', type: STRING },
      { name: 'B', type: BYTES },
      { name: 'T', type: TIMESTAMP },
      { name: 'M', type: map(STRING, array(BOOLEAN)) },
      { name: 'Z', type: STRING },
    ];
    const row: SqlValue[] = [
      -2147483648,
      2n ** 62n,
      10,
      1e10,
      Number.NaN,
      Decimal.parse('10.0000'),
      'a"\n\u001fé',
      Buffer.from('{'),
      5,
      new Map([['k', [true, null]]]),
      null,
    ];
    expect(encode(columns, row)).toBe(
      '{"I":-2147483648,"b\\"c":4611686018427387904,"D":10.0,"E":1.0E10,"N":"NaN","DEC":10.0000,"S":"a\\"\\n\\u001fé","B":"ew==","T":5,"M":{"k":[true,null]},"Z":null}',
    );
    expect(encode([{ name: 'A', type: DOUBLE }], [99.99], unwrapped)).toBe('99.99');
    expect(encode([], [])).toBe('{}');
  });

  test.each([0.01, -0.05, 1.1, 9999999.99, 0.29, 1.005, 0.1 + 0.2, 4.35, 2.675, 1e-3, 123456.7])(
    '%d',
    (value) => {
      const text = encode([{ name: 'A', type: DOUBLE }], [value], unwrapped);
      expect(text).toBe(String(value));
    },
  );

  test('maps with other keys are refused', () => {
    expect(() => json.validate([{ name: 'A', type: array(map(INTEGER, STRING)) }], wrapped)).toThrow(
      SqlError,
    );
    expect(() =>
      json.validate([{ name: 'A', type: STRING }], { ...wrapped, properties: new Map([['DELIMITER', '|']]) }),
    ).toThrow(SqlError);
    json.validate([{ name: 'A', type: map(STRING, STRING) }], wrapped);
  });

  test('every row of every type reads back', () => {
    fc.assert(
      fc.property(
        fc
          .array(types, { minLength: 1, maxLength: 4 })
          .chain((list) => fc.tuple(fc.constant(list), fc.tuple(...list.map((type) => valuesOf(type))))),
        ([list, row]) => {
          const columns = list.map((type, i) => ({ name: `C${i}`, type }));
          const text = encode(columns, row);
          JSON.parse(text);
          expect(decode(columns, text).map(comparable)).toEqual(row.map(comparable));
        },
      ),
      { numRuns: 300 },
    );
  });
});

const scanned: Column[] = [
  { name: 'I', type: INTEGER },
  { name: 'L', type: BIGINT },
  { name: 'D', type: DOUBLE },
  { name: 'S', type: STRING },
  { name: 'N', type: decimal(8, 2) },
  { name: 'B', type: BOOLEAN },
  { name: 'T', type: TIME },
  { name: 'A', type: array(INTEGER) },
];

/** JSON values as people write them, also of types that no column has. */
const tokens = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc
    .tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: 0, max: 4 }))
    .map(([n, s]) => (n / 10 ** s).toFixed(s)),
  fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String),
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => JSON.stringify(text)),
  fc.string({ maxLength: 12 }).map((text) => JSON.stringify(text)),
  fc.integer().map((n) => `"${n}"`),
  fc.constantFrom(
    'true',
    'false',
    'null',
    '[]',
    '[1,2]',
    '{"I":3}',
    '-0',
    '-0.0',
    '0.0',
    '0.00',
    '1e5',
    '1E-7',
    '00',
    '1.',
    '.5',
    '12345678901234567890',
    '"\\u0041"',
    '"\\ud800"',
    'nul',
    '{"a":[{"b":"}"}]}',
  ),
);

const records = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'I',
        'L',
        'D',
        'S',
        'N',
        'B',
        'T',
        'A',
        'i',
        'l',
        'd',
        's',
        'x',
        'II',
        'É',
        '\\u0049',
        '',
      ),
      tokens,
      fc.constantFrom('', ' ', '\n\t'),
    ),
    { maxLength: 9 },
  )
  .map(
    (fields) =>
      `{${fields.map(([name, token, blank]) => `${blank}"${name}":${blank}${token}${blank}`).join(',')}}`,
  );

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Tokens that the column takes, as our encoder and as others write them. */
function fittingTokens(column: Column): fc.Arbitrary<string> {
  const written = valuesOf(column.type).map((value) => encode([column], [value], unwrapped));
  switch (column.type.kind) {
    case 'double':
      return fc.oneof(
        written,
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
        fc.constantFrom(
          '1',
          '-0',
          '-0.0',
          '0.0',
          '0.00',
          '1.50',
          '1e5',
          '0.001',
          '0.0010',
          '9999999.9',
          '10000000.5',
          '"2.5"',
        ),
      );
    case 'decimal':
      return fc.oneof(
        written,
        fc.constantFrom('1', '1.5', '1.50', '1.500', '-0', '-0.00', '"1.5"', '12e1', '999999.99'),
      );
    case 'integer':
    case 'bigint':
      return fc.oneof(written, fc.constantFrom('-0', '1.0', '1e3', '"7"', '999999999', '-2147483648'));
    case 'string':
      return fc.oneof(written, tokens.filter(isJson));
    default:
      return written;
  }
}

/** Records of which every field can be read: those whose values, not refusals, are compared. */
const fittingRecords = fc
  .shuffledSubarray(scanned)
  .chain((columns) =>
    fc.tuple(...columns.map((column) => fittingTokens(column).map((token) => `"${column.name}":${token}`))),
  )
  .map((fields) => `{${fields.join(',')}}`);

/** The record with a byte or two changed, left out or put in. */
const mutations = fc.array(
  fc.tuple(
    fc.nat(),
    fc.constantFrom('change', 'drop', 'insert'),
    fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x22, 0x2c, 0x7d, 0x5c, 0x3a, 0x30)),
  ),
  { maxLength: 2 },
);
const anyRecords = fc.oneof(records, fittingRecords);

function mutate(text: string, changes: readonly (readonly [number, string, number])[]): Buffer {
  let bytes = Buffer.from(text);
  for (const [at, kind, byte] of changes) {
    const i = at % bytes.length;
    if (kind === 'change') bytes[i] = byte;
    else if (kind === 'drop') bytes = Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 1)]);
    else bytes = Buffer.concat([bytes.subarray(0, i), Buffer.from([byte]), bytes.subarray(i)]);
    if (bytes.length === 0) break;
  }
  return bytes;
}

/** What the format must do with a record, in the plainest words: the whole text as a tree, then each column. */
function expected(bytes: Buffer): SqlValue[] | 'refused' {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (text === '') return scanned.map(() => null);
    const node = parseJson(text);
    if (node === null) return scanned.map(() => null);
    if (!(node instanceof Map)) return 'refused';
    return scanned.map((column) => {
      const keys = [...(node as Map<string, unknown>).keys()];
      const key = keys.includes(column.name)
        ? column.name
        : keys.findLast((name) => name.toUpperCase() === column.name);
      return key === undefined
        ? null
        : openCoerce(
            column.type,
            column.name,
          )((node as unknown as ReadonlyMap<string, never>).get(key) ?? null);
    });
  } catch (error) {
    expect(error instanceof DataError || error instanceof TypeError).toBe(true);
    return 'refused';
  }
}

test('the scanner agrees with the exact path, on good records and broken ones', () => {
  // One decoder for all records, so that what it remembers of one is put to the test by the next.
  const decoder = json.openDecoder(scanned, wrapped, all(scanned));
  let accepted = 0;
  fc.assert(
    fc.property(anyRecords, mutations, (text, changes) => {
      const bytes = mutate(text, changes);
      const row: SqlValue[] = scanned.map(() => 'untouched');
      let result: SqlValue[] | 'refused';
      try {
        decoder.decode(bytes, 0, bytes.length, row);
        result = row;
        accepted++;
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
        result = 'refused';
      }
      const wish = expected(bytes);
      expect(result === 'refused' ? result : result.map(comparable)).toEqual(
        wish === 'refused' ? wish : wish.map(comparable),
      );
    }),
    { numRuns: 4000 },
  );
  expect(accepted).toBeGreaterThan(800);
});

test('parseJson accepts what JSON.parse accepts', () => {
  fc.assert(
    fc.property(anyRecords, mutations, (text, changes) => {
      const changed = mutate(text, changes).toString();
      if (isJson(changed)) expect(() => parseJson(changed)).not.toThrow();
      else expect(() => parseJson(changed)).toThrow(DataError);
    }),
    { numRuns: 2000 },
  );
});

test('raw ranges are exactly what the encoder would write', () => {
  const wanted = scanned.map((_, column) => ({ column, slot: column % 2 === 0 ? column : -1, raw: column }));
  const encoder = json.openEncoder(scanned, wrapped);
  const slots = scanned.map((_, i) => i);
  let ranges = 0;
  fc.assert(
    fc.property(fittingRecords, (text) => {
      const bytes = Buffer.from(text);
      const plain: SqlValue[] = scanned.map(() => null);
      json.openDecoder(scanned, wrapped, all(scanned)).decode(bytes, 0, bytes.length, plain);
      const decoder = json.openDecoder(scanned, wrapped, wanted);
      decoder.decode(
        bytes,
        0,
        bytes.length,
        scanned.map(() => null),
      );
      for (let i = 0; i < scanned.length; i++) if (decoder.rawRanges![2 * i]! >= 0) ranges++;
      const values = new ByteWriter(8);
      encoder.encode(plain, slots, values);
      const copied = new ByteWriter(8);
      encoder.withRaw!(decoder, slots)!([], slots, bytes, copied);
      expect(copied.toBytes().toString()).toBe(values.toBytes().toString());
    }),
    { numRuns: 1500 },
  );
  expect(ranges).toBeGreaterThan(2000);
});

test.each<[SqlType, string, boolean]>([
  [STRING, '"plain"', true],
  [STRING, '"é"', true],
  [STRING, '"a\\n"', false],
  [INTEGER, '12', true],
  [INTEGER, '-0', false],
  [INTEGER, '"12"', false],
  [DOUBLE, '12.5', true],
  [DOUBLE, '12', false],
  [DOUBLE, '12.50', false],
  [DOUBLE, '0.0001', false],
  [DOUBLE, '12345678.5', false],
  [DOUBLE, '-0.0', false],
  [decimal(6, 2), '12.50', true],
  [decimal(6, 2), '12.5', false],
  [BOOLEAN, 'true', true],
  [STRING, 'null', false],
])('%o %s passes as bytes: %s', (type, text, passes) => {
  const decoder = json.openDecoder([{ name: 'A', type }], wrapped, [{ column: 0, slot: -1, raw: 0 }]);
  const bytes = Buffer.from(`{"A":${text}}`);
  decoder.decode(bytes, 0, bytes.length, []);
  expect(decoder.rawRanges![0]! >= 0).toBe(passes);
  expect(decoder.rawRanges![0]).toBe(passes ? 5 : -1);
});
