import { DataError } from '../../common/error.ts';
import { bytesSerde, type Serde, stringSerde } from '../topology/serde.ts';

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
    write(value, writer) {
      if (!Number.isSafeInteger(value)) throw new DataError(`${value} is not a safe integer`);
      writer.writeSafeInt64(value);
    },
    read(buffer, start) {
      const value = buffer.readInt32BE(start) * 0x1_0000_0000 + buffer.readUInt32BE(start + 4);
      if (!Number.isSafeInteger(value)) throw new DataError(`a 64-bit integer is too large for a number`);
      return value;
    },
  }),
  /** 64-bit big-endian integers: a number while it is a safe integer, a `bigint` beyond. */
  bigLong: fixed<number | bigint>(8, 'a 64-bit integer', {
    write(value, writer) {
      if (typeof value === 'bigint') writer.writeInt64(value);
      else if (Number.isSafeInteger(value)) writer.writeSafeInt64(value);
      else throw new DataError(`${value} is not a safe integer`);
    },
    read(buffer, start) {
      const value = buffer.readBigInt64BE(start);
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    },
  }),
  /** 32-bit big-endian integers. */
  integer: fixed<number>(4, 'a 32-bit integer', {
    write(value, writer) {
      if ((value | 0) !== value) throw new DataError(`${value} is not a 32-bit integer`);
      writer.writeInt32(value);
    },
    read: (buffer, start) => buffer.readInt32BE(start),
  }),
  /** 64-bit floating point, big-endian. */
  double: fixed<number>(8, 'a double', {
    write: (value, writer) => writer.writeDouble(value),
    read: (buffer, start) => buffer.readDoubleBE(start),
  }),
  /** Bytes as they are. */
  bytes: bytesSerde,
  /** JSON text. What is read is a new object each time; do not change what a store holds. */
  json<T>(): Serde<T> {
    return jsonSerde as Serde<T>;
  },
} as const;

const jsonSerde: Serde = {
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

interface FixedSize<T> {
  readonly write: (value: T, writer: Parameters<Serde<T>['serialize']>[1]) => void;
  readonly read: (buffer: Buffer, start: number) => T;
}

function fixed<T>(sizeBytes: number, name: string, { write, read }: FixedSize<T>): Serde<T> {
  return {
    serialize: write,
    deserialize(buffer, start, end) {
      if (end - start !== sizeBytes)
        throw new DataError(`${name} has ${sizeBytes} bytes, not ${end - start}`);
      return read(buffer as Buffer, start);
    },
  };
}
