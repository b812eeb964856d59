import type { ByteWriter } from '../../common/bytes.ts';
import { DataError } from '../../common/error.ts';
import type { ValueCodec } from '../../state/store.ts';
import { shown } from './record-time.ts';

/**
 * Turns the keys or values of one topic into bytes and back. Never given null: a null key or value is no bytes.
 * Used by one thread, record by record, and not reentrant: `deserialize` may return an object that the next call
 * overwrites (a scratch row), when `borrowed` says so.
 */
export interface Serde<T = unknown> {
  /** Throws `DataError` for what cannot be written. Appends to `writer`; on error the caller resets it. */
  serialize(value: T, writer: ByteWriter): void;
  /**
   * Throws `DataError` for what cannot be written, as far as a glance tells. Asked when a row is put into a store, so that
   * the record is at fault that put it; without it only the commit, which writes the row, would find out.
   */
  check?(value: T): void;
  /** Throws `DataError` for what cannot be read. */
  deserialize(buffer: Uint8Array, start: number, end: number): T;
  /** Set when every value has so many bytes and Kafka's lists rely on it: numbers and UUIDs. */
  readonly sizeBytes?: number;
  /** True when `deserialize` returns the same object again and again, so that a value that is kept must be copied. */
  readonly borrowed?: boolean;
}

/** How a store keeps what a serde reads and writes. */
export function codecOf(serde: Serde): ValueCodec {
  return {
    ...(serde.check && { check: (value) => serde.check!(value) }),
    encode: (value, writer) => serde.serialize(value, writer),
    decode: (buffer, start, end) => serde.deserialize(buffer, start, end),
  };
}

/** UTF-8 text. */
export const stringSerde: Serde<string> = {
  check(value) {
    if (typeof value !== 'string') throw new DataError(`${shown(value)} is not a text`);
  },
  serialize(value, writer) {
    if (typeof value !== 'string') stringSerde.check!(value);
    writer.writeText(value);
  },
  deserialize: (buffer, start, end) => (buffer as Buffer).toString('utf8', start, end),
};

/** Bytes as they are. What `deserialize` gives is a copy. */
export const bytesSerde: Serde<Uint8Array> = {
  check(value) {
    if (!(value instanceof Uint8Array)) throw new DataError(`${shown(value)} is not bytes`);
  },
  serialize(value, writer) {
    bytesSerde.check!(value);
    writer.writeBytes(value);
  },
  deserialize: (buffer, start, end) => Buffer.from(buffer.subarray(start, end)),
};
