import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../src/common/bytes.ts';
import { formatOf } from '../../../src/formats/registry.ts';
import { settingsOf } from '../../../src/sql/catalog/format-settings.ts';
import { rowKeySerde } from '../../../src/sql/lower/row-key-serde.ts';
import {
  BIGINT,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  STRING,
  TIME,
  TIMESTAMP,
  type SqlType,
} from '../../../src/types/sql-type.ts';

const open = (format: string, type: SqlType) => {
  const columns = [{ name: 'K', type }];
  const side = { name: format, wrapped: false, properties: [] };
  const written = formatOf(format).openWrittenKey(columns, settingsOf(side, true));
  return { written: written!, serde: rowKeySerde(columns, side) };
};

describe.each(['JSON', 'DELIMITED'])('%s', (format) => {
  test.each([INTEGER, BIGINT, DATE, TIME, TIMESTAMP, STRING])(
    'keys taken as written are what the encoder writes: %o',
    (type) => {
      const { written, serde } = open(format, type);
      const text =
        type === STRING
          ? fc.oneof(
              fc.string(),
              fc.string({ unit: 'binary' }),
              fc.string().map((each) => JSON.stringify(each)),
            )
          : fc.oneof(fc.stringMatching(/^-?\d{1,12}$/), fc.stringMatching(/^[-+0-9. e]{1,6}$/));
      fc.assert(
        fc.property(text, (key) => {
          const bytes = Buffer.from(key);
          if (!written(bytes, 0, bytes.length)) return;
          const writer = new ByteWriter(16);
          serde.serialize(serde.deserialize(bytes, 0, bytes.length), writer);
          expect(Buffer.from(writer.buffer.subarray(0, writer.length)).toString()).toBe(key);
        }),
        { numRuns: 500 },
      );
    },
  );
});

test('the usual keys are recognized, others are not', () => {
  const holds = (format: string, type: SqlType, text: string): boolean => {
    const bytes = Buffer.from(`..${text}.`);
    return open(format, type).written(bytes, 2, bytes.length - 1);
  };
  expect(holds('JSON', INTEGER, '42')).toBe(true);
  expect(holds('JSON', INTEGER, '-7')).toBe(true);
  expect(holds('JSON', INTEGER, '042')).toBe(false);
  expect(holds('JSON', INTEGER, '-0')).toBe(false);
  expect(holds('JSON', INTEGER, '"42"')).toBe(false);
  expect(holds('JSON', BIGINT, '123456789012345')).toBe(true);
  expect(holds('JSON', DATE, '999999999')).toBe(false);
  expect(holds('DELIMITED', TIME, '86400000')).toBe(false);
  expect(holds('JSON', TIME, '-1')).toBe(false);
  expect(holds('JSON', STRING, '"user_1 ok"')).toBe(true);
  expect(holds('JSON', STRING, '"a\\u0041"')).toBe(false);
  expect(holds('JSON', STRING, ' "a"')).toBe(false);
  expect(holds('JSON', DOUBLE, '1.0')).toBe(false);
  expect(holds('DELIMITED', STRING, 'user1')).toBe(true);
  expect(holds('DELIMITED', STRING, '"user1"')).toBe(false);
});

test('of KAFKA, keys of the wrong width and those that may not be text are looked at again', () => {
  const kafka = (type: SqlType) => open('KAFKA', type).written;
  const bytes = Buffer.from([0x61, 0x62, 0x63, 0x64, 0xff]);
  expect(kafka(STRING)!(bytes, 0, 4)).toBe(true);
  expect(kafka(STRING)!(bytes, 0, 5)).toBe(false);
  expect(kafka(INTEGER)!(bytes, 0, 4)).toBe(true);
  expect(kafka(INTEGER)!(bytes, 0, 5)).toBe(false);
  expect(kafka(DOUBLE)!(bytes, 0, 4)).toBe(false);
  expect(kafka(BYTES)).toBeNull();
});
