import { ByteWriter } from '../../common/bytes.ts';

/** Writes request bodies of Kafka's protocol in their versions before the compact ("flexible") ones. */
export class ProtocolWriter extends ByteWriter {
  int8(value: number): this {
    this.reserve(1);
    this.length = this.buffer.writeInt8(value, this.length);
    return this;
  }

  int16(value: number): this {
    this.reserve(2);
    this.length = this.buffer.writeInt16BE(value, this.length);
    return this;
  }

  int32(value: number): this {
    this.writeInt32(value);
    return this;
  }

  /** A safe integer as 64 bits. */
  int64(value: number): this {
    this.writeSafeInt64(value);
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    this.int16(Buffer.byteLength(value));
    this.writeText(value);
    return this;
  }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }
}
