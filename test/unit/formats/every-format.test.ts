import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../src/common/bytes.ts';
import { DataError, SqlError } from '../../../src/common/error.ts';
import { delimited } from '../../../src/formats/delimited.ts';
import { FORMATS } from '../../../src/formats/every-format.ts';
import type { Format, FormatSettings } from '../../../src/formats/format.ts';
import { parseJson } from '../../../src/types/json-node.ts';
import type { Column } from '../../../src/types/schema.ts';
import type { SqlValue } from '../../../src/types/value.ts';
import { comparable, scalarTypes, types, valuesOf } from '../../harness/arbitrary-values.ts';
import { kv } from '../../fixtures/kv-format.ts';

// What every format promises, whatever it is: each property draws columns that the format says it can hold.

/** Whose empty text and bytes read as null: a line of values has nothing else to tell them by. */
const EMPTY_IS_NULL: ReadonlySet<Format> = new Set([delimited]);

interface Side {
  readonly columns: readonly Column[];
  readonly settings: FormatSettings;
}

interface Sample extends Side {
  readonly row: readonly SqlValue[];
}

function holds(format: Format, { columns, settings }: Side): boolean {
  try {
    format.validate(columns, settings);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(SqlError);
    return false;
  }
}

/** Columns that the format can hold, as a key or as a value; only keys where it is a format of keys. */
function sides(format: Format): fc.Arbitrary<Side> {
  const settingsOf = (isKey: boolean, wrapped: boolean): FormatSettings => ({
    isKey,
    wrapped,
    properties: new Map(),
  });
  const column = fc
    .oneof(types, scalarTypes)
    .map((type): Column => ({ name: 'C', type }))
    .filter((each) => holds(format, { columns: [each], settings: settingsOf(true, false) }));
  const holdsAny = holds(format, {
    columns: [{ name: 'C', type: { kind: 'string' } }],
    settings: settingsOf(true, false),
  });
  const isForValues = holds(format, { columns: [], settings: settingsOf(false, true) });
  const columnsMax = holdsAny ? (format.multiColumn ? 4 : 1) : 0;
  return fc
    .tuple(
      columnsMax === 0 ? fc.constant([]) : fc.array(column, { maxLength: columnsMax }),
      isForValues ? fc.boolean() : fc.constant(true),
      fc.boolean(),
    )
    .map(([columns, isKey, wraps]) => ({
      columns: columns.map(({ type }, i) => ({ name: ['A', 'b', 'C_C', 'É'][i]!, type })),
      settings: settingsOf(isKey, columns.length !== 1 || (!isKey && wrapsOne(format, wraps))),
    }));
}

function wrapsOne({ singleColumn }: Format, asked: boolean): boolean {
  return singleColumn === 'wrapped-by-default' ? asked : singleColumn === 'always-wrapped';
}

function samples(
  format: Format,
  own: Parameters<typeof valuesOf>[1] = {},
  of: fc.Arbitrary<Side> = sides(format),
): fc.Arbitrary<Sample> {
  return of.chain((side) =>
    fc.tuple(...side.columns.map(({ type }) => valuesOf(type, own))).map((row) => ({ ...side, row })),
  );
}

/** Null when a value cannot be written, which is an error of the data. */
function encode(format: Format, { columns, settings, row }: Sample): Buffer | null {
  const writer = new ByteWriter(2);
  try {
    format.openEncoder(columns, settings).encode(
      row,
      columns.map((_, i) => i),
      writer,
    );
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return null;
  }
  return Buffer.from(writer.toBytes());
}

/** Null when the bytes cannot be read, which is an error of the data. `wanted`: of which columns; default all. */
function decode(
  format: Format,
  { columns, settings }: Side,
  bytes: Buffer,
  wanted: readonly number[] = columns.map((_, i) => i),
): unknown[] | null {
  const row: SqlValue[] = columns.map(() => 'not wanted');
  // Not at the start of the buffer, and not up to its end.
  const framed = Buffer.concat([Buffer.from('##'), bytes, Buffer.from('99')]);
  try {
    format
      .openDecoder(
        columns,
        settings,
        wanted.map((column) => ({ column, slot: column, raw: -1 })),
      )
      .decode(framed, 2, 2 + bytes.length, row);
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return null;
  }
  return row.map(comparable);
}

/** Bytes that were written, with some changed; and any. */
function nearlyWritten(format: Format): fc.Arbitrary<readonly [Sample, Buffer]> {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.nat(255)), { maxLength: 3 });
  return fc
    .tuple(samples(format), changes, fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.uint8Array()))
    .map(([sample, edits, other]) => {
      let bytes = other === null ? (encode(format, sample) ?? Buffer.alloc(0)) : Buffer.from(other);
      for (const [at, cut, byte] of edits) {
        const i = at % (bytes.length + 1);
        bytes = Buffer.concat([bytes.subarray(0, i), Buffer.of(byte), bytes.subarray(i + cut)]);
      }
      return [sample, bytes] as const;
    });
}

const RUNS = { numRuns: 300 };

describe.each([...FORMATS, kv].map((format) => [format.name, format] as const))('%s', (_name, format) => {
  test('what is written reads back', () => {
    const lost = (value: SqlValue): boolean =>
      EMPTY_IS_NULL.has(format) && (value === '' || (value instanceof Uint8Array && value.length === 0));
    fc.assert(
      fc.property(samples(format), (sample) => {
        const bytes = encode(format, sample);
        const wish = sample.row.map((value) => comparable(lost(value) ? null : value));
        if (bytes === null) expect(sample.row).toContain(null);
        else expect(decode(format, sample, bytes)).toEqual(wish);
      }),
      RUNS,
    );
  });

  test('other bytes are read or an error of the data, whichever columns are wanted', () => {
    fc.assert(
      fc.property(nearlyWritten(format), fc.nat(15), ([sample, bytes], some) => {
        const wanted = sample.columns.flatMap((_, i) => ((some >> i) & 1 ? [i] : []));
        const all = decode(format, sample, bytes);
        const few = decode(format, sample, bytes, wanted);
        expect(few).toEqual(
          all && sample.columns.map((_, i) => (wanted.includes(i) ? all[i] : 'not wanted')),
        );
      }),
      RUNS,
    );
  });

  test('a key that is taken as written is what the encoder writes', () => {
    fc.assert(
      fc.property(nearlyWritten(format), ([{ columns, settings }, bytes]) => {
        const side = { columns, settings: { ...settings, isKey: true, wrapped: columns.length > 1 } };
        const framed = Buffer.concat([Buffer.from('#'), bytes, Buffer.from('9')]);
        const written = format.openWrittenKey(columns, side.settings);
        if (written !== null && !written(framed, 1, 1 + bytes.length)) return;
        const row: SqlValue[] = columns.map(() => null);
        const wanted = columns.map((_, column) => ({ column, slot: column, raw: -1 }));
        // Of any bytes, those that cannot be read only where nothing is looked at.
        format.openDecoder(columns, side.settings, wanted).decode(bytes, 0, bytes.length, row);
        if (columns.length > 0) expect(encode(format, { ...side, row })).toEqual(bytes);
      }),
      RUNS,
    );
  });

  test('names are in the bytes of a record, or are not, as it says', () => {
    fc.assert(
      fc.property(samples(format), (sample) => {
        const { columns, settings } = sample;
        if (!settings.wrapped || columns.length === 0 || sample.row.includes(null)) return;
        const others = columns.map(({ name, type }) => ({ name: `X${name}`, type }));
        const same = encode(format, sample)!.equals(encode(format, { ...sample, columns: others })!);
        expect(same).toBe(!format.namesColumns);
      }),
      RUNS,
    );
  });

  test('raw ranges are given and taken, or are not, as it says', () => {
    fc.assert(
      fc.property(samples(format), (sample) => {
        const { columns, settings, row } = sample;
        const bytes = encode(format, sample);
        if (bytes === null || columns.length === 0) return;
        const decoder = format.openDecoder(
          columns,
          settings,
          columns.map((_, column) => ({ column, slot: -1, raw: column })),
        );
        expect(decoder.rawRanges !== null).toBe(format.rawRanges);
        const encoder = format.openEncoder(columns, settings);
        expect(encoder.withRaw !== undefined).toBe(format.rawRanges);
        const copy =
          encoder.withRaw?.(
            decoder,
            columns.map((_, i) => i),
          ) ?? null;
        if (copy === null || (!settings.wrapped && row.includes(null))) return;
        decoder.decode(bytes, 0, bytes.length, []);
        const writer = new ByteWriter(2);
        copy(
          [],
          columns.map(() => -1),
          bytes,
          writer,
        );
        expect(Buffer.from(writer.toBytes())).toEqual(bytes);
      }),
      RUNS,
    );
  });

  test('a lone null is bytes where it says so', () => {
    fc.assert(
      fc.property(sides(format), (side) => {
        if (format.loneNull !== 'bytes' || side.columns.length !== 1 || side.settings.wrapped) return;
        expect(decode(format, side, encode(format, { ...side, row: [null] })!)).toEqual([null]);
      }),
      RUNS,
    );
  });

  test('a text alone is its UTF-8 where it says so', () => {
    const settings = { isKey: true, wrapped: wrapsOne(format, false), properties: new Map<string, string>() };
    const side: Side = { columns: [{ name: 'A', type: { kind: 'string' } }], settings };
    if (!holds(format, side)) return expect(format.textIsBytes).toBe(false);
    const isBytes = (text: string): boolean =>
      encode(format, { ...side, row: [text] })?.equals(Buffer.from(text)) === true;
    if (!format.textIsBytes) return expect(['"', ',', 'a,b', ' '].every(isBytes)).toBe(false);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => isBytes(text)),
      RUNS,
    );
  });

  test('what a test file says of a record is that record', () => {
    // Test files are text, and so must be the bytes that they hold.
    const bytes = fc.string().map((text) => Buffer.from(text));
    fc.assert(
      fc.property(samples(format, { bytes }), (sample) => {
        const { columns } = sample;
        const written = encode(format, sample);
        if (written === null || columns.length === 0) return;
        const { testRecords } = format;
        const again = testRecords.encode(testRecords.decode(written, columns), columns);
        expect(decode(format, sample, again)).toEqual(decode(format, sample, written));
      }),
      RUNS,
    );
  });

  test('what a test file says wrongly is an error of the data', () => {
    fc.assert(
      fc.property(nearlyWritten(format), fc.jsonValue(), ([{ columns }, bytes], value) => {
        const { testRecords } = format;
        const attempts = [
          () => testRecords.decode(bytes, columns),
          () => testRecords.encode(parseJson(JSON.stringify(value)), columns),
        ];
        for (const attempt of attempts)
          try {
            attempt();
          } catch (error) {
            expect(error).toBeInstanceOf(DataError);
          }
      }),
      RUNS,
    );
  });

  test('PRINT takes any bytes', () => {
    fc.assert(
      fc.property(nearlyWritten(format), ([, bytes]) => {
        for (const guess of format.guesses) guess.print(bytes);
      }),
      RUNS,
    );
  });
});
