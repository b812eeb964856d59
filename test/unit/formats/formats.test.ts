import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../src/common/bytes.ts';
import { DataError, SqlError } from '../../../src/common/error.ts';
import { delimited } from '../../../src/formats/delimited.ts';
import type { Format, FormatSettings } from '../../../src/formats/format.ts';
import { kafka } from '../../../src/formats/kafka.ts';
import { none } from '../../../src/formats/none.ts';
import { formatOf } from '../../../src/formats/registry.ts';
import { openRowCodec } from '../../../src/formats/row-codec.ts';
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
  type SqlType,
} from '../../../src/types/sql-type.ts';
import type { SqlValue } from '../../../src/types/value.ts';
import { comparable, scalarTypes, types, valuesOf } from '../../harness/arbitrary-values.ts';

function settingsOf(properties: Record<string, string> = {}): FormatSettings {
  return { isKey: false, wrapped: false, properties: new Map(Object.entries(properties)) };
}

function columnsOf(...list: SqlType[]): Column[] {
  return list.map((type, i) => ({ name: `C${i}`, type }));
}

function encode(format: Format, columns: Column[], row: SqlValue[], settings = settingsOf()): Buffer {
  const writer = new ByteWriter(2);
  format.openEncoder(columns, settings).encode(
    row,
    columns.map((_, i) => i),
    writer,
  );
  return writer.toBytes();
}

function decode(format: Format, columns: Column[], bytes: Uint8Array, settings = settingsOf()): SqlValue[] {
  const row: SqlValue[] = columns.map(() => null);
  // Not at the start of the buffer, and not up to its end.
  const framed = Buffer.concat([Buffer.from('##'), bytes, Buffer.from('99')]);
  format
    .openDecoder(
      columns,
      settings,
      columns.map((_, column) => ({ column, slot: column, raw: -1 })),
    )
    .decode(framed, 2, 2 + bytes.length, row);
  return row;
}

test('the registry knows formats in any case and names them otherwise', () => {
  expect(formatOf('json').name).toBe('JSON');
  expect(formatOf('DELIMITED')).toBe(delimited);
  expect(() => formatOf('YAML')).toThrow(SqlError);
  try {
    formatOf('YAML');
  } catch (error) {
    expect((error as SqlError).hint).toBe('the formats are JSON, DELIMITED, KAFKA, NONE');
  }
});

describe('KAFKA', () => {
  test.each<[SqlType, SqlValue, string]>([
    [INTEGER, -2, 'fffffffe'],
    [BIGINT, -2, 'fffffffffffffffe'],
    [BIGINT, 2n ** 62n, '4000000000000000'],
    [DOUBLE, 1.5, '3ff8000000000000'],
    [STRING, 'hé', '68c3a9'],
    [STRING, '', ''],
    [BYTES, Uint8Array.of(1, 2), '0102'],
  ])('%o %o', (type, value, hex) => {
    expect(encode(kafka, columnsOf(type), [value]).toString('hex')).toBe(hex);
    expect(decode(kafka, columnsOf(type), Buffer.from(hex, 'hex')).map(comparable)).toEqual([
      comparable(value),
    ]);
  });

  test('another width, or no UTF-8, is refused', () => {
    expect(() => decode(kafka, columnsOf(INTEGER), Buffer.alloc(8))).toThrow(DataError);
    expect(() => decode(kafka, columnsOf(BIGINT), Buffer.alloc(4))).toThrow(DataError);
    expect(() => decode(kafka, columnsOf(DOUBLE), Buffer.alloc(0))).toThrow(DataError);
    expect(() => decode(kafka, columnsOf(STRING), Buffer.from([0xff]))).toThrow(DataError);
    expect(() => encode(kafka, columnsOf(INTEGER), [null])).toThrow(DataError);
  });

  test('columns that it cannot hold', () => {
    expect(() => kafka.validate(columnsOf(array(INTEGER)), settingsOf())).toThrow(SqlError);
    expect(() => kafka.validate(columnsOf(INTEGER, INTEGER), settingsOf())).toThrow(SqlError);
    expect(() => kafka.validate(columnsOf(BOOLEAN), settingsOf())).toThrow(SqlError);
    kafka.validate([], settingsOf());
    kafka.validate(columnsOf(BYTES), settingsOf());
  });

  test('bytes pass as they stand', () => {
    const columns = columnsOf(STRING);
    const decoder = kafka.openDecoder(columns, settingsOf(), [{ column: 0, slot: -1, raw: 0 }]);
    const source = Buffer.from('..key..');
    decoder.decode(source, 2, 5, []);
    const writer = new ByteWriter();
    kafka.openEncoder(columns, settingsOf()).withRaw!(decoder, [0])!([], [-1], source, writer);
    expect(writer.toBytes().toString()).toBe('key');
  });
});

describe('DELIMITED', () => {
  test.each<[SqlType[], SqlValue[], string]>([
    [[BIGINT, STRING, INTEGER], [0, 'zero', 0], '0,zero,0'],
    [[DATE], [-10], '"-10"'],
    [[INTEGER, DATE], [1, -10], '1,-10'],
    [[decimal(6, 4), BOOLEAN], [Decimal.parse('12.0000'), true], '12.0000,true'],
    [[STRING, STRING], ['a,b', 'say "x"'], '"a,b","say ""x"""'],
    [[STRING, STRING, STRING], ['a', null, ' b'], 'a,," b"'],
    [[STRING, DOUBLE], [null, 1e10], ',1.0E10'],
    [[STRING], ['two\nlines'], '"two\nlines"'],
    [[BYTES], [Buffer.from('{')], 'ew=='],
  ])('%o %o', (list, row, line) => {
    expect(encode(delimited, columnsOf(...list), row).toString()).toBe(line);
    expect(decode(delimited, columnsOf(...list), Buffer.from(line)).map(comparable)).toEqual(
      row.map(comparable),
    );
  });

  test.each<[string, SqlValue[]]>([
    ['"1","x"', [1, 'x']],
    ['1,x\r\n', [1, 'x']],
    ['1,x\n', [1, 'x']],
    [' "1" , x', [1, ' x']],
    [',', [null, null]],
    ['1,""', [1, null]],
  ])('%j', (line, row) => {
    expect(decode(delimited, columnsOf(INTEGER, STRING), Buffer.from(line))).toEqual(row);
  });

  test.each(['', '\n', '1', '1,a,b', 'x,a', '1,"a', '1,"a"b', '1,a\nb', '"1\n",2\n3', '1.5,a'])(
    'refuses %j',
    (line) => {
      expect(() => decode(delimited, columnsOf(INTEGER, STRING), Buffer.from(line))).toThrow(DataError);
    },
  );

  test('nothing is the null of a lone column', () => {
    expect(encode(delimited, columnsOf(STRING), [null]).toString()).toBe('');
    expect(decode(delimited, columnsOf(STRING), Buffer.alloc(0))).toEqual([null]);
  });

  test('invalid UTF-8 is refused', () => {
    expect(() => decode(delimited, columnsOf(STRING), Buffer.from([0xc3]))).toThrow(DataError);
  });

  test('delimiters', () => {
    for (const [name, character] of [
      ['|', '|'],
      ['TAB', '\t'],
      ['SPACE', ' '],
      ['$', '$'],
    ]) {
      const settings = settingsOf({ DELIMITER: name! });
      const line = encode(delimited, columnsOf(INTEGER, STRING), [1, `a${character}`], settings);
      expect(line.toString()).toBe(`1${character}"a${character}"`);
      expect(decode(delimited, columnsOf(INTEGER, STRING), line, settings)).toEqual([1, `a${character}`]);
    }
    for (const bad of ['', 'ab', '"'])
      expect(() => delimited.validate([], settingsOf({ DELIMITER: bad }))).toThrow(SqlError);
    expect(() => delimited.validate([], settingsOf({ OTHER: 'x' }))).toThrow(SqlError);
  });

  test('columns that it cannot hold', () => {
    for (const type of [array(INTEGER), map(STRING, STRING), struct([{ name: 'A', type: TIME }])])
      expect(() => delimited.validate(columnsOf(type), settingsOf())).toThrow(SqlError);
  });

  test('every row of scalars reads back, empty text as null', () => {
    fc.assert(
      fc.property(
        fc
          .array(scalarTypes, { minLength: 1, maxLength: 4 })
          .chain((list) => fc.tuple(fc.constant(list), fc.tuple(...list.map((type) => valuesOf(type))))),
        fc.constantFrom(',', '|', 'TAB', 'SPACE'),
        ([list, row], delimiter) => {
          const settings = settingsOf({ DELIMITER: delimiter });
          const columns = columnsOf(...list);
          const wish = row.map((value) =>
            value === '' || (value instanceof Uint8Array && value.length === 0) ? null : value,
          );
          expect(
            decode(delimited, columns, encode(delimited, columns, row, settings), settings).map(comparable),
          ).toEqual(wish.map(comparable));
        },
      ),
      { numRuns: 300 },
    );
  });
});

test('NONE holds nothing and reads nothing', () => {
  none.validate([], { ...settingsOf(), isKey: true });
  expect(() => none.validate(columnsOf(STRING), { ...settingsOf(), isKey: true })).toThrow(SqlError);
  expect(() => none.validate([], settingsOf())).toThrow(SqlError);
  expect(decode(none, [], Buffer.from('data that is ignored'))).toEqual([]);
  expect(encode(none, [], [])).toHaveLength(0);
});

describe('row codec', () => {
  const rows = fc
    .array(types, { maxLength: 12 })
    .chain((list) => fc.tuple(fc.constant(list), fc.tuple(...list.map((type) => valuesOf(type)))));

  test('every row of every type reads back', () => {
    fc.assert(
      fc.property(rows, ([list, row]) => {
        const codec = openRowCodec(list);
        const writer = new ByteWriter(1);
        writer.writeText('##');
        codec.encode(row, writer);
        const end = writer.length;
        writer.writeText('##');
        expect(codec.decode(writer.toBytes(), 2, end).map(comparable)).toEqual(row.map(comparable));
      }),
      { numRuns: 500 },
    );
  });

  test('broken bytes are refused or read, never crash', () => {
    fc.assert(
      fc.property(
        rows,
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        ([list, row], at, byte, cut) => {
          const codec = openRowCodec(list);
          const writer = new ByteWriter();
          codec.encode(row, writer);
          const bytes = writer.toBytes();
          const i = at % bytes.length;
          bytes[i] = byte;
          try {
            codec.decode(bytes, 0, cut ? i : bytes.length);
          } catch (error) {
            expect(error).toBeInstanceOf(DataError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('every prefix is refused', () => {
    const codec = openRowCodec([STRING, BIGINT, DOUBLE]);
    const writer = new ByteWriter();
    codec.encode(['abc', 2n ** 60n, 1], writer);
    const bytes = writer.toBytes();
    for (let end = 0; end < bytes.length; end++) expect(() => codec.decode(bytes, 0, end)).toThrow(DataError);
    expect(() => codec.decode(Buffer.concat([bytes, Buffer.from([0])]), 0, bytes.length + 1)).toThrow(
      DataError,
    );
    bytes[0] = 2;
    expect(() => codec.decode(bytes, 0, bytes.length)).toThrow(DataError);
  });

  test('small rows are small', () => {
    const writer = new ByteWriter();
    openRowCodec([STRING, BIGINT, INTEGER, STRING]).encode(['key', 1000, -1, null], writer);
    expect(writer.length).toBe(1 + 1 + 4 + 2 + 1);
  });
});
