import { ByteWriter } from '../../common/bytes.ts';

/** Writes request bodies of Kafka's protocol; the `compact` parts are those of flexible versions (KIP-482). */
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

  /** Seven bits a byte, the lowest first. */
  unsignedVarint(value: number): this {
    this.reserve(5);
    let rest = value;
    while (rest > 0x7f) {
      this.buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.length++] = rest;
    return this;
  }

  compactString(value: string | null): this {
    if (value === null) return this.unsignedVarint(0);
    this.unsignedVarint(Buffer.byteLength(value) + 1);
    this.writeText(value);
    return this;
  }

  compactBytes(value: Uint8Array): this {
    this.unsignedVarint(value.length + 1);
    this.writeBytes(value);
    return this;
  }

  /** Items of flexible versions end with tags, which `write` writes. */
  compactArray<T>(items: readonly T[] | null, write: (item: T) => void): this {
    this.unsignedVarint(items === null ? 0 : items.length + 1);
    for (const item of items ?? []) write(item);
    return this;
  }

  /** No tagged fields. */
  tags(): this {
    return this.int8(0);
  }
}
