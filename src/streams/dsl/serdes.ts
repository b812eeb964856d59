import { DataError } from '../../common/error.ts';
import { shown } from '../topology/record-time.ts';
import { bytesSerde, type Serde, stringSerde } from '../topology/serde.ts';
import { listSerde } from './list-serde.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const uuidSerde: Serde<string> = {
  sizeBytes: 36,
  check(value) {
    if (typeof value !== 'string' || !UUID.test(value)) throw new DataError(`${shown(value)} is not a UUID`);
  },
  serialize(value, writer) {
    uuidSerde.check!(value);
    writer.writeText(value.toLowerCase());
  },
  deserialize(buffer, start, end) {
    const text = (buffer as Buffer).toString('latin1', start, end);
    if (!UUID.test(text)) throw new DataError(`${shown(text)} is not a UUID`);
    return text.toLowerCase();
  },
};

const voidSerde: Serde<never> = {
  serialize() {
    throw new DataError('nothing but null is written here');
  },
  deserialize() {
    throw new DataError('nothing but null is expected here');
  },
};

/**
 * The serdes of Kafka Streams by their Java names' meaning, so that both read each other's topics.
 *
 * ```ts
 * builder.stream('orders', { keySerde: Serdes.string, valueSerde: Serdes.json<Order>() });
 * ```
 */
export const Serdes = {
  /** UTF-8 text. */
  string: stringSerde,
  /** 64-bit big-endian integers. A JavaScript number while it is a safe integer, see `bigLong` for all. */
  long: fixed<number>(8, 'a 64-bit integer', {
    check(value) {
      if (!Number.isSafeInteger(value)) throw new DataError(`${shown(value)} is not a safe integer`);
    },
    write: (value, writer) => writer.writeSafeInt64(value),
    read(buffer, start) {
      const value = buffer.readInt32BE(start) * 0x1_0000_0000 + buffer.readUInt32BE(start + 4);
      if (!Number.isSafeInteger(value)) throw new DataError(`a 64-bit integer is too large for a number`);
      return value;
    },
  }),
  /** 64-bit big-endian integers: a number while it is a safe integer, a `bigint` beyond. */
  bigLong: fixed<number | bigint>(8, 'a 64-bit integer', {
    check(value) {
      if (typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value))
        return;
      throw new DataError(`${shown(value)} is neither a safe integer nor a bigint of 64 bits`);
    },
    write(value, writer) {
      if (typeof value === 'bigint') writer.writeInt64(value);
      else writer.writeSafeInt64(value);
    },
    read(buffer, start) {
      const value = buffer.readBigInt64BE(start);
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    },
  }),
  /** 32-bit big-endian integers. */
  integer: fixed<number>(4, 'a 32-bit integer', {
    check: integerOf(32),
    write: (value, writer) => writer.writeInt32(value),
    read: (buffer, start) => buffer.readInt32BE(start),
  }),
  /** 16-bit big-endian integers. */
  short: fixed<number>(2, 'a 16-bit integer', {
    check: integerOf(16),
    write(value, writer) {
      writer.writeByte((value >> 8) & 0xff);
      writer.writeByte(value & 0xff);
    },
    read: (buffer, start) => buffer.readInt16BE(start),
  }),
  /** 64-bit floating point, big-endian. */
  double: fixed<number>(8, 'a double', {
    check: number,
    write: (value, writer) => writer.writeDouble(value),
    read: (buffer, start) => buffer.readDoubleBE(start),
  }),
  /** 32-bit floating point, big-endian: what is read is what was written, rounded. */
  float: fixed<number>(4, 'a float', {
    check: number,
    write(value, writer) {
      const bytes = Buffer.allocUnsafe(4);
      bytes.writeFloatBE(value);
      writer.writeBytes(bytes);
    },
    read: (buffer, start) => buffer.readFloatBE(start),
  }),
  /** One byte: 1 is true, 0 is false. */
  boolean: fixed<boolean>(1, 'a boolean', {
    check(value) {
      if (typeof value !== 'boolean') throw new DataError(`${shown(value)} is not a boolean`);
    },
    write: (value, writer) => writer.writeByte(value ? 1 : 0),
    read(buffer, start) {
      const byte = buffer[start]!;
      if (byte > 1) throw new DataError(`a boolean is 0 or 1, not ${byte}`);
      return byte === 1;
    },
  }),
  /** UUIDs as texts of lower case, in the UTF-8 of Kafka's UUIDSerializer: 36 characters. */
  uuid: uuidSerde,
  /** For topics without keys, or without values: null is all there is. */
  void: voidSerde,
  /** Bytes as they are. */
  bytes: bytesSerde,
  /** Lists of what another serde writes, as Kafka's ListSerializer writes them with its strategy for any size. */
  list: listSerde,
  /** JSON text. What is read is a new object each time; do not change what a store holds. */
  json<T>(): Serde<T> {
    return jsonSerde as Serde<T>;
  },
} as const;

const jsonSerde: Serde = {
  check(value) {
    const type = typeof value;
    if (
      type === 'undefined' ||
      type === 'function' ||
      type === 'symbol' ||
      type === 'bigint' ||
      value instanceof Promise
    )
      throw new DataError(`${shown(value)} cannot be written as JSON`);
  },
  serialize(value, writer) {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new DataError('a value cannot be written as JSON');
    writer.writeText(text);
  },
  deserialize(buffer, start, end) {
    try {
      return JSON.parse((buffer as Buffer).toString('utf8', start, end)) as unknown;
    } catch {
      throw new DataError('a value is not JSON');
    }
  },
};

function number(value: unknown): void {
  if (typeof value !== 'number') throw new DataError(`${shown(value)} is not a number`);
}

function integerOf(bits: 16 | 32): (value: unknown) => void {
  const bound = 2 ** (bits - 1);
  return (value) => {
    if (!Number.isInteger(value) || (value as number) < -bound || (value as number) >= bound)
      throw new DataError(`${shown(value)} is not a ${bits}-bit integer`);
  };
}

interface FixedSize<T> {
  readonly check: (value: T) => void;
  readonly write: (value: T, writer: Parameters<Serde<T>['serialize']>[1]) => void;
  readonly read: (buffer: Buffer, start: number) => T;
}

function fixed<T>(sizeBytes: number, name: string, { check, write, read }: FixedSize<T>): Serde<T> {
  return {
    check,
    ...(name !== 'a boolean' && { sizeBytes }),
    serialize(value, writer) {
      check(value);
      write(value, writer);
    },
    deserialize(buffer, start, end) {
      if (end - start !== sizeBytes)
        throw new DataError(`${name} has ${sizeBytes} bytes, not ${end - start}`);
      return read(buffer as Buffer, start);
    },
  };
}
