import type { ByteWriter } from '../../common/bytes.ts';

/**
 * Turns the keys or values of one topic into bytes and back. Never given null: a null key or value is no bytes.
 * Used by one thread, record by record, and not reentrant: `deserialize` may return an object that the next call
 * overwrites (a scratch row), when `borrowed` says so.
 */
export interface Serde<T = unknown> {
  /** Throws `DataError` for what cannot be written. Appends to `writer`; on error the caller resets it. */
  serialize(value: T, writer: ByteWriter): void;
  /** Throws `DataError` for what cannot be read. */
  deserialize(buffer: Uint8Array, start: number, end: number): T;
  /** True when `deserialize` returns the same object again and again: whoever keeps it calls `keep`. */
  readonly borrowed?: boolean;
}

/** UTF-8 text. */
export const stringSerde: Serde<string> = {
  serialize: (value, writer) => writer.writeText(value),
  deserialize: (buffer, start, end) => (buffer as Buffer).toString('utf8', start, end),
};

/** Bytes as they are. What `deserialize` gives is a copy. */
export const bytesSerde: Serde<Uint8Array> = {
  serialize: (value, writer) => writer.writeBytes(value),
  deserialize: (buffer, start, end) => Buffer.from(buffer.subarray(start, end)),
};
