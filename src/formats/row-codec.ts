import type { ByteWriter } from '../common/bytes.ts';
import { DataError } from '../common/error.ts';
import { toBigint } from '../types/bigint.ts';
import { Decimal } from '../types/decimal.ts';
import type { SqlType } from '../types/sql-type.ts';
import type { Row, SqlValue } from '../types/value.ts';
import { asBuffer, asciiText, utf8Text } from './text-slice.ts';

/**
 * The binary form of rows in state stores and internal topics. Compact, exact, and read by nobody else:
 *
 * ```
 * row      version byte, null bitmap (bit c of byte c/8: column c is null), then the values that are not null
 * BOOLEAN  a byte        INTEGER, BIGINT, DATE, TIME, TIMESTAMP  zigzag varint of up to 64 bits
 * DOUBLE   8 bytes, big-endian        DECIMAL  varint byte length, two's complement of the unscaled value, big-endian
 * STRING   varint byte length * 2, plus 1 when all bytes are ASCII; UTF-8        BYTES  varint length, bytes
 * ARRAY, MAP  varint count, then the items (key, value in turn), each after a byte: 0 null, 1 not
 * STRUCT   null bitmap, then the values that are not null
 * ```
 *
 * Lone surrogates in a STRING become U+FFFD, as everywhere that text is UTF-8.
 */
export interface RowCodec {
  /** Appends the row, which has a value per type. */
  encode(row: Row, writer: ByteWriter): void;
  /** Reads a row that fills the range. Throws `DataError` when it is not one of this codec's version and types. */
  decode(buffer: Uint8Array, start: number, end: number): SqlValue[];
}

/**
 * The version of a row is 1 where rows never had other columns. `earlier`: how many of the columns rows of version 1 have,
 * those of version 2, and so on; the others are null. Those of the version after them, which is written, have all.
 */
export function openRowCodec(types: readonly SqlType[], earlier: readonly number[] = []): RowCodec {
  const version = earlier.length + 1;
  const fields = openFields(types);
  const older = earlier.map((count) => openFields(types.slice(0, count)));
  const cursor: Cursor = { buffer: Buffer.alloc(0), at: 0, end: 0 };
  return {
    encode(row, writer) {
      writer.writeByte(version);
      fields.write(row, writer);
    },
    decode(buffer, start, end) {
      const found = start < end && buffer[start] === version ? fields : older[buffer[start]! - 1];
      if (start >= end || found === undefined)
        throw new DataError(
          `a stored row begins with ${start >= end ? 'nothing' : `byte ${buffer[start]}`}, not version ${version}`,
        );
      cursor.buffer = asBuffer(buffer);
      cursor.at = start + 1;
      cursor.end = end;
      const row = found.read(cursor);
      for (let c = row.length; c < types.length; c++) row.push(null);
      if (cursor.at !== end)
        throw new DataError(
          `a stored row of ${cursor.at - start} bytes is followed by ${end - cursor.at} more`,
        );
      return row;
    },
  };
}

interface Cursor {
  buffer: Buffer;
  at: number;
  end: number;
}

interface FieldsCodec {
  write(row: Row, writer: ByteWriter): void;
  read(cursor: Cursor): SqlValue[];
}

interface ValueCodec {
  /** The value is not null. */
  write(value: SqlValue, writer: ByteWriter): void;
  read(cursor: Cursor): SqlValue;
}

function openFields(types: readonly SqlType[]): FieldsCodec {
  const codecs = types.map(openValue);
  const bitmapBytes = Math.ceil(types.length / 8);
  return {
    write(row, writer) {
      writer.reserve(bitmapBytes);
      const bitmapAt = writer.length;
      for (let i = 0; i < bitmapBytes; i++) writer.buffer[bitmapAt + i] = 0;
      writer.length += bitmapBytes;
      for (let c = 0; c < codecs.length; c++) {
        const value = row[c];
        // The buffer may have been replaced since, so it is named anew.
        if (value === null || value === undefined) writer.buffer[bitmapAt + (c >> 3)]! |= 1 << (c & 7);
        else codecs[c]!.write(value, writer);
      }
    },
    read(cursor) {
      const bitmapAt = cursor.at;
      advance(cursor, bitmapBytes);
      const row: SqlValue[] = [];
      for (let c = 0; c < codecs.length; c++) {
        const isNull = (cursor.buffer[bitmapAt + (c >> 3)]! & (1 << (c & 7))) !== 0;
        row.push(isNull ? null : codecs[c]!.read(cursor));
      }
      return row;
    },
  };
}

function openValue(type: SqlType): ValueCodec {
  switch (type.kind) {
    case 'boolean':
      return {
        write: (value, writer) => writer.writeByte(value === true ? 1 : 0),
        read: (cursor) => cursor.buffer[advance(cursor, 1)] === 1,
      };
    case 'integer':
    case 'bigint':
    case 'date':
    case 'time':
    case 'timestamp':
      return { write: (value, writer) => writeSigned(value as number | bigint, writer), read: readSigned };
    case 'double':
      return {
        write: (value, writer) => writer.writeDouble(value as number),
        read: (cursor) => cursor.buffer.readDoubleBE(advance(cursor, 8)),
      };
    case 'decimal': {
      const { scale } = type;
      return {
        write: (value, writer) => writeUnscaled((value as Decimal).setScale(scale).unscaled, writer),
        read: (cursor) => new Decimal(readUnscaled(cursor), scale),
      };
    }
    case 'string':
      return { write: (value, writer) => writeString(value as string, writer), read: readString };
    case 'bytes':
      return {
        write(value, writer) {
          const bytes = value as Uint8Array;
          writeCount(bytes.length, writer);
          writer.writeBytes(bytes);
        },
        read(cursor) {
          const size = readCount(cursor);
          const start = advance(cursor, size);
          return Uint8Array.prototype.slice.call(cursor.buffer, start, start + size);
        },
      };
    case 'array': {
      const element = openNullable(type.element);
      return {
        write(value, writer) {
          const items = value as readonly SqlValue[];
          writeCount(items.length, writer);
          for (const item of items) element.write(item, writer);
        },
        read(cursor) {
          const items: SqlValue[] = [];
          for (let left = readCount(cursor); left > 0; left--) items.push(element.read(cursor));
          return items;
        },
      };
    }
    case 'map': {
      const key = openNullable(type.key);
      const item = openNullable(type.value);
      return {
        write(value, writer) {
          const entries = value as ReadonlyMap<SqlValue, SqlValue>;
          writeCount(entries.size, writer);
          for (const [name, entry] of entries) {
            key.write(name, writer);
            item.write(entry, writer);
          }
        },
        read(cursor) {
          const entries = new Map<SqlValue, SqlValue>();
          for (let left = readCount(cursor); left > 0; left--) {
            const name = key.read(cursor);
            entries.set(name, item.read(cursor));
          }
          return entries;
        },
      };
    }
    case 'struct': {
      const fields = openFields(type.fields.map((field) => field.type));
      return {
        write: (value, writer) => fields.write(value as Row, writer),
        read: (cursor) => fields.read(cursor),
      };
    }
  }
}

function openNullable(type: SqlType): ValueCodec {
  const codec = openValue(type);
  return {
    write(value, writer) {
      writer.writeByte(value === null ? 0 : 1);
      if (value !== null) codec.write(value, writer);
    },
    read: (cursor) => (cursor.buffer[advance(cursor, 1)] === 0 ? null : codec.read(cursor)),
  };
}

/** Moves past `size` bytes and gives where they began. Throws `DataError` when there are not so many. */
function advance(cursor: Cursor, size: number): number {
  const start = cursor.at;
  if (size > cursor.end - start) throw new DataError('a stored row ends early');
  cursor.at = start + size;
  return start;
}

/** A varint: seven bits a byte, low ones first, the top bit says that more follow. */
function writeCount(value: number, writer: ByteWriter): void {
  writer.reserve(10);
  const buffer = writer.buffer;
  let at = writer.length;
  while (value > 0x7fff_ffff) {
    const rest = Math.floor(value / 128);
    buffer[at++] = (value - rest * 128) | 0x80;
    value = rest;
  }
  let small = value | 0;
  while (small > 0x7f) {
    buffer[at++] = (small & 0x7f) | 0x80;
    small >>>= 7;
  }
  buffer[at++] = small;
  writer.length = at;
}

function readCount(cursor: Cursor): number {
  const value = readVarint(cursor);
  if (typeof value !== 'number') throw new DataError('a stored row has an impossible length');
  return value;
}

/** Up to 64 bits; a number while it is a safe integer. */
function readVarint(cursor: Cursor): number | bigint {
  const { buffer, end } = cursor;
  let at = cursor.at;
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 10; i++) {
    if (at >= end) throw new DataError('a stored row ends early');
    const byte = buffer[at++]!;
    // Eight bytes carry 56 bits, which a double cannot: from the eighth on the exact way.
    if (i === 7 && byte !== 0) return readLongVarint(cursor);
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) {
      cursor.at = at;
      return value;
    }
  }
  throw new DataError('a stored row has a number of more than 64 bits');
}

function readLongVarint(cursor: Cursor): number | bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = cursor.buffer[advance(cursor, 1)]!;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }
  throw new DataError('a stored row has a number of more than 64 bits');
}

const MAX_ZIGZAG = 2 ** 52;

/** Zigzag: 0, -1, 1, -2, … become 0, 1, 2, 3, … so that small numbers of either sign are short. */
function writeSigned(value: number | bigint, writer: ByteWriter): void {
  if (typeof value === 'number' && value < MAX_ZIGZAG && value > -MAX_ZIGZAG) {
    writeCount(value < 0 ? -value * 2 - 1 : value * 2, writer);
    return;
  }
  const wide = BigInt(value);
  let left = wide < 0n ? -wide * 2n - 1n : wide * 2n;
  while (left > 0x7fn) {
    writer.writeByte(Number(left & 0x7fn) | 0x80);
    left >>= 7n;
  }
  writer.writeByte(Number(left));
}

function readSigned(cursor: Cursor): number | bigint {
  const value = readVarint(cursor);
  if (typeof value === 'number') {
    const half = Math.floor(value / 2);
    return value - half * 2 === 0 ? half : -half - 1;
  }
  return toBigint((value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n);
}

function writeUnscaled(value: bigint, writer: ByteWriter): void {
  let sizeBytes = 1;
  while (BigInt.asIntN(sizeBytes * 8, value) !== value) sizeBytes++;
  writeCount(sizeBytes, writer);
  let hex = BigInt.asUintN(sizeBytes * 8, value).toString(16);
  hex = hex.padStart(sizeBytes * 2, '0');
  writer.writeBytes(Buffer.from(hex, 'hex'));
}

function readUnscaled(cursor: Cursor): bigint {
  const size = readCount(cursor);
  if (size === 0) throw new DataError('a stored row has a DECIMAL of no bytes');
  const start = advance(cursor, size);
  return BigInt.asIntN(size * 8, BigInt(`0x${cursor.buffer.toString('hex', start, start + size)}`));
}

function writeString(text: string, writer: ByteWriter): void {
  const size = text.length;
  if (size <= 63) {
    // The count of short text is one byte, written once the bytes have shown to be ASCII.
    writer.reserve(size + 1);
    const buffer = writer.buffer;
    let at = writer.length + 1;
    let i = 0;
    for (; i < size; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) break;
      buffer[at++] = code;
    }
    if (i === size) {
      buffer[writer.length] = (size << 1) | 1;
      writer.length = at;
      return;
    }
  }
  const sizeBytes = Buffer.byteLength(text, 'utf8');
  writeCount(sizeBytes * 2, writer);
  writer.reserve(sizeBytes);
  writer.buffer.write(text, writer.length, 'utf8');
  writer.length += sizeBytes;
}

function readString(cursor: Cursor): string {
  const count = readCount(cursor);
  const size = Math.floor(count / 2);
  const start = advance(cursor, size);
  const { buffer } = cursor;
  if (count - size * 2 === 0) return utf8Text(buffer, start, start + size);
  return size === 0 ? '' : asciiText(buffer, start, start + size);
}
