import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter } from '../../../src/common/bytes.ts';
import { DataError } from '../../../src/common/error.ts';
import { delimited } from '../../../src/formats/delimited.ts';
import type { Format, FormatSettings, WantedColumn } from '../../../src/formats/format.ts';
import { json } from '../../../src/formats/json.ts';
import { kafka } from '../../../src/formats/kafka.ts';
import type { Column } from '../../../src/types/schema.ts';
import type { SqlType } from '../../../src/types/sql-type.ts';
import type { SqlValue } from '../../../src/types/value.ts';
import { comparable, scalarTypes, types, valuesOf } from '../../harness/arbitrary-values.ts';

// Whether a record can be read, and what its columns are, does not depend on which of them somebody wants.

interface Sample {
  readonly format: Format;
  readonly settings: FormatSettings;
  readonly columns: readonly Column[];
  readonly records: readonly Buffer[];
}

/** Texts that stand for values of some types, and not of others, as people write them. */
const tokens = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom('0', '-0', '007', '1.5', '1.50', '-12.345', '1e3', '1E400', '2147483648', '-2147483649'),
  fc.constantFrom(
    '9007199254740993',
    '9223372036854775808',
    '86400000',
    '-1',
    '100000001',
    '.5',
    '1.',
    '+1',
    ' 1 ',
  ),
  fc.constantFrom(
    'true',
    'TRUE',
    'yes',
    'null',
    'NaN',
    'x',
    '',
    'YQ==',
    'YQ',
    'Y===',
    'é',
    '\ud800',
    '"',
    ',',
    '\n',
  ),
);
const jsonTokens = fc.oneof(
  tokens,
  tokens.map((token) => JSON.stringify(token)),
  fc.array(tokens, { maxLength: 3 }).map((list) => `[${list.join(', ')}]`),
  fc
    .array(fc.tuple(fc.constantFrom('A', 'a', 'é', 'B', '\\u0041'), tokens), { maxLength: 3 })
    .map((fields) => `{${fields.map(([name, token]) => `"${name}": ${token}`).join(', ')}}`),
);

const nested: fc.Arbitrary<SqlType> = fc.oneof(types, scalarTypes);

function columnsOf(list: readonly SqlType[]): Column[] {
  return list.map((type, i) => ({ name: ['A', 'b', 'C_C', 'É', 'LONGER_NAME'][i]!, type }));
}

function settingsOf(wrapped: boolean, properties: Record<string, string> = {}): FormatSettings {
  return { isKey: false, wrapped, properties: new Map(Object.entries(properties)) };
}

function encode(
  format: Format,
  settings: FormatSettings,
  columns: readonly Column[],
  row: SqlValue[],
): Buffer {
  const writer = new ByteWriter(16);
  const slots = columns.map((_, i) => i);
  try {
    format.openEncoder(columns, settings).encode(row, slots, writer);
  } catch (error) {
    // KAFKA writes no null: then there are no bytes.
    if (!(error instanceof DataError)) throw error;
    writer.length = 0;
  }
  return Buffer.from(writer.toBytes());
}

/** Bytes changed, left out or put in. */
const damage = fc.array(
  fc.tuple(
    fc.nat(),
    fc.constantFrom(0, 1, 2),
    fc.oneof(fc.constantFrom(...Buffer.from('"\\,:{}[]0-. é\n')), fc.nat(255)),
  ),
  { maxLength: 2 },
);
type Damage = readonly (readonly [at: number, cut: number, byte: number])[];

function damaged(bytes: Buffer, changes: Damage): Buffer {
  let result = bytes;
  for (const [at, cut, byte] of changes) {
    const i = at % (result.length + 1);
    const inserted = cut === 1 && byte % 2 === 0 ? [] : [byte];
    result = Buffer.concat([
      result.subarray(0, i),
      Buffer.from(inserted),
      result.subarray(i + Math.min(cut, 1)),
    ]);
  }
  return result;
}

function samples(
  format: Format,
  settings: FormatSettings,
  columns: readonly Column[],
  text: fc.Arbitrary<Buffer>,
): fc.Arbitrary<Sample> {
  const written = fc
    .tuple(...columns.map(({ type }) => valuesOf(type)))
    .map((row) => encode(format, settings, columns, row as SqlValue[]));
  const record = fc.tuple(fc.oneof(written, text), damage).map(([bytes, changes]) => damaged(bytes, changes));
  return fc
    .array(fc.oneof(record, written), { minLength: 1, maxLength: 8 })
    .map((records) => ({ format, settings, columns, records }));
}

const jsonSamples = fc.array(nested, { minLength: 1, maxLength: 5 }).chain((list) => {
  const columns = columnsOf(list);
  const names = fc.constantFrom(
    ...columns.flatMap(({ name }) => [name, name.toLowerCase()]),
    'OTHER',
    '\\u0041',
  );
  const blank = fc.constantFrom('', ' ');
  const record = fc
    .array(fc.tuple(names, jsonTokens, blank), { maxLength: 7 })
    .map((fields) => `{${fields.map(([name, token, gap]) => `"${name}":${gap}${token}`).join(`,`)}}`);
  return samples(
    json,
    settingsOf(true),
    columns,
    fc.oneof(record, jsonTokens).map((text) => Buffer.from(text)),
  );
});

const unwrappedSamples = nested.chain((type) =>
  samples(
    json,
    settingsOf(false),
    columnsOf([type]),
    jsonTokens.map((text) => Buffer.from(text)),
  ),
);

const delimitedSamples = fc
  .tuple(
    fc.array(scalarTypes, { minLength: 1, maxLength: 5 }),
    fc.constantFrom(',', '|', 'TAB', 'SPACE', 'é'),
  )
  .chain(([list, delimiter]) => {
    const character = delimiter === 'TAB' ? '\t' : delimiter === 'SPACE' ? ' ' : delimiter;
    const cell = fc.oneof(
      tokens,
      tokens.map((token) => `"${token}"`),
    );
    const size = { minLength: Math.max(1, list.length - 1), maxLength: list.length + 1 };
    const line = fc
      .tuple(fc.array(cell, size), fc.constantFrom('', '\n', '\r\n', '\r'))
      .map(([cells, lineEnd]) => Buffer.from(cells.join(character) + lineEnd));
    return samples(delimited, settingsOf(false, { DELIMITER: delimiter }), columnsOf(list), line);
  });

const kafkaSamples = scalarTypes
  .filter(({ kind }) => ['integer', 'bigint', 'double', 'string', 'bytes'].includes(kind))
  .chain((type) =>
    samples(
      kafka,
      settingsOf(false),
      columnsOf([type]),
      fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
    ),
  );

/** What becomes of a record: values by column, or that it cannot be read. */
function verdict(decode: (row: SqlValue[]) => void, columns: readonly Column[]): unknown[] | string {
  const row: SqlValue[] = columns.map(() => 'untouched');
  try {
    decode(row);
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as DataError).message;
  }
  return row.map(comparable);
}

test.each<[string, fc.Arbitrary<Sample>, number]>([
  ['JSON', jsonSamples, 250],
  ['JSON unwrapped', unwrappedSamples, 150],
  ['DELIMITED', delimitedSamples, 250],
  ['KAFKA', kafkaSamples, 150],
])('%s: a record is readable or not, whoever asks', (_title, arbitrary, numRuns) => {
  const counts = { readable: 0, refused: 0 };
  fc.assert(
    fc.property(arbitrary, fc.nat(), ({ format, settings, columns, records }, seed) => {
      const all = columns.map((_, column): WantedColumn => ({ column, slot: column, raw: -1 }));
      // Decoders remember what they met, so each sees all records; the full one is new for each.
      const subsets = [0, seed % 2 ** columns.length, (seed >> 5) % 2 ** columns.length];
      const partial = subsets.map((subset) => {
        const wanted = all.filter(({ column }) => (subset >> column) % 2 === 1);
        return { wanted, decoder: format.openDecoder(columns, settings, wanted) };
      });
      for (const bytes of records) {
        const framed = Buffer.concat([Buffer.from('1"'), bytes, Buffer.from('9"}')]);
        const decodeAll = (row: SqlValue[]): void =>
          format.openDecoder(columns, settings, all).decode(framed, 2, 2 + bytes.length, row);
        const whole = verdict(decodeAll, columns);
        counts[typeof whole === 'string' ? 'refused' : 'readable']++;
        for (const { wanted, decoder } of partial) {
          const found = verdict((row) => decoder.decode(framed, 2, 2 + bytes.length, row), columns);
          if (typeof whole === 'string') expect(found).toBe(whole);
          else
            expect(found).toEqual(
              whole.map((value, column) =>
                wanted.some((want) => want.column === column) ? value : 'untouched',
              ),
            );
        }
      }
    }),
    { numRuns },
  );
  expect(counts.readable).toBeGreaterThan(numRuns / 4);
  expect(counts.refused).toBeGreaterThan(numRuns / 4);
});
