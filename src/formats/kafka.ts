import type { ByteWriter } from '../common/bytes.ts';
import { DataError, SqlError } from '../common/error.ts';
import { toBigint, type Bigint } from '../types/bigint.ts';
import { doubleText } from '../types/double-text.ts';
import type { Column } from '../types/schema.ts';
import type { SqlValue } from '../types/value.ts';
import { readableText } from './bytes-guess.ts';
import type { Decoder, Encoder, Format, WrittenKey } from './format.ts';
import { kafkaTestRecords } from './kafka-test-records.ts';
import { checkKinds, checkProperties } from './settings.ts';
import { asBuffer, checkedText, isText } from './text-slice.ts';

/**
 * Kafka's own serializers: one column, INTEGER, BIGINT and DOUBLE big-endian in 4, 8 and 8 bytes, STRING as UTF-8,
 * BYTES as they are. A width that differs is an error; nothing is coerced.
 */
export const kafka: Format = {
  name: 'KAFKA',
  properties: [],
  singleColumn: 'always-unwrapped',
  multiColumn: false,
  namesColumns: false,
  registered: false,
  loneNull: 'no-value',
  noValue: null,
  textIsBytes: true,
  rawRanges: true,
  validate(columns, settings) {
    checkProperties(kafka, settings);
    checkKinds(kafka, columns, ['integer', 'bigint', 'double', 'string', 'bytes']);
    if (columns.length > 1)
      throw new SqlError('ML_FORMAT', `format KAFKA holds one column, not ${columns.length}`, {
        hint: "use JSON or DELIMITED for several columns; KEY_FORMAT='JSON' in WITH changes the format of the key alone",
      });
  },
  openDecoder(columns, _settings, wanted): Decoder {
    const column = columns[0] === undefined ? null : openRead(columns[0]);
    const slots = wanted.flatMap((column) => (column.slot >= 0 ? [column.slot] : []));
    const raws = wanted.flatMap((column) => (column.raw >= 0 ? [column.raw] : []));
    const rawRanges = raws.length === 0 ? null : new Int32Array(2 * (Math.max(...raws) + 1)).fill(-1);
    return {
      rawRanges,
      decode(buffer, start, end, row) {
        if (column === null) return;
        if (slots.length > 0) {
          const value = column.read(asBuffer(buffer), start, end);
          for (const slot of slots) row[slot] = value;
        } else {
          column.check(buffer, start, end);
        }
        if (rawRanges === null) return;
        for (const raw of raws) {
          rawRanges[2 * raw] = start;
          rawRanges[2 * raw + 1] = end;
        }
      },
      rawFallback: () => null,
    };
  },
  openEncoder(columns): Encoder {
    const write = columns[0] === undefined ? undefined : openWrite(columns[0]);
    return {
      encode(row, slots, writer) {
        if (write === undefined) return;
        const value = row[slots[0]!];
        if (value === null || value === undefined)
          throw new DataError(
            `column ${columns[0]!.name} is null, which format KAFKA writes only as a null record`,
          );
        write(value, writer);
      },
      withRaw(decoder, rawIndex) {
        const raw = rawIndex[0];
        const ranges = decoder.rawRanges;
        if (ranges === null || raw === undefined || raw < 0 || write === undefined) return null;
        return (_row, _slots, source, writer) => {
          if (ranges[2 * raw]! >= 0) {
            writer.writeBytes(source, ranges[2 * raw]!, ranges[2 * raw + 1]!);
            return;
          }
          const value = decoder.rawFallback(raw);
          if (value === null)
            throw new DataError(`column ${columns[0]!.name} is null, which format KAFKA cannot write`);
          write(value, writer);
        };
      },
    };
  },
  openWrittenKey: (columns) => (columns[0] === undefined ? null : openWrittenKey(columns[0])),
  guesses: [
    { name: 'KAFKA_STRING', print: readableText },
    { name: 'KAFKA_INT', print: (bytes) => (bytes.length === 4 ? String(bytes.readInt32BE(0)) : null) },
    // Eight bytes: a whole number, unless it would be an improbably large one.
    {
      name: 'KAFKA_BIGINT or KAFKA_DOUBLE',
      print(bytes) {
        if (bytes.length !== 8) return null;
        const whole = bytes.readBigInt64BE(0);
        return whole === BigInt.asIntN(54, whole) ? String(whole) : doubleText(bytes.readDoubleBE(0));
      },
    },
  ],
  testRecords: kafkaTestRecords,
};

/**
 * There is one way to write a value, and no bytes that are none are let through: a key that cannot be read drops its
 * record whether or not anybody asks for its columns.
 */
function openWrittenKey(column: Column): WrittenKey | null {
  switch (column.type.kind) {
    case 'integer':
      return (_buffer, start, end) => end - start === 4;
    case 'bigint':
    case 'double':
      return (_buffer, start, end) => end - start === 8;
    case 'string':
      return isAscii;
    default:
      return null;
  }
}

function isAscii(buffer: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (buffer[i]! > 0x7f) return false;
  return true;
}

/** Both throw `DataError` when the bytes are no value of the column. */
interface Read {
  read(buffer: Buffer, start: number, end: number): SqlValue;
  /** Makes nothing. */
  check(buffer: Uint8Array, start: number, end: number): void;
}

function openRead(column: Column): Read {
  const checkWidth = (start: number, end: number, widthBytes: number): void => {
    if (end - start !== widthBytes)
      throw new DataError(
        `column ${column.name}: expected ${column.type.kind.toUpperCase()} of ${widthBytes} bytes, found ${end - start} bytes`,
      );
  };
  const refuseText = (): never => {
    throw new DataError(`column ${column.name}: expected STRING, found bytes that are not UTF-8`);
  };
  switch (column.type.kind) {
    case 'integer':
      return {
        check: (_buffer, start, end) => checkWidth(start, end, 4),
        read(buffer, start, end) {
          checkWidth(start, end, 4);
          return buffer.readInt32BE(start);
        },
      };
    case 'bigint':
      return {
        check: (_buffer, start, end) => checkWidth(start, end, 8),
        read(buffer, start, end) {
          checkWidth(start, end, 8);
          const high = buffer.readInt32BE(start);
          // Within ±2^52 two 32-bit reads are exact and cheaper than a bigint.
          if (high < 0x10_0000 && high >= -0x10_0000)
            return high * 0x1_0000_0000 + buffer.readUInt32BE(start + 4);
          return toBigint(buffer.readBigInt64BE(start));
        },
      };
    case 'double':
      return {
        check: (_buffer, start, end) => checkWidth(start, end, 8),
        read(buffer, start, end) {
          checkWidth(start, end, 8);
          return buffer.readDoubleBE(start);
        },
      };
    case 'string':
      return {
        check(buffer, start, end) {
          if (!isText(buffer, start, end)) refuseText();
        },
        read(buffer, start, end) {
          try {
            return checkedText(buffer, start, end);
          } catch {
            return refuseText();
          }
        },
      };
    default:
      return {
        check() {},
        read: (buffer, start, end) => Uint8Array.prototype.slice.call(buffer, start, end),
      };
  }
}

function openWrite(column: Column): (value: SqlValue, writer: ByteWriter) => void {
  switch (column.type.kind) {
    case 'integer':
      return (value, writer) => writer.writeInt32(value as number);
    case 'bigint':
      return (value, writer) =>
        typeof value === 'number'
          ? writer.writeSafeInt64(value)
          : writer.writeInt64(value as Exclude<Bigint, number>);
    case 'double':
      return (value, writer) => writer.writeDouble(value as number);
    case 'string':
      return (value, writer) => writer.writeText(value as string);
    default:
      return (value, writer) => writer.writeBytes(value as Uint8Array);
  }
}
