import { readInt64 } from '../record-batch-header.ts';

/** Reads response bodies. Reading past the end throws Node's `RangeError`: the response is not what was asked for. */
export class ProtocolReader {
  readonly buffer: Buffer;
  at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  int8(): number {
    return this.buffer.readInt8(this.at++);
  }

  int16(): number {
    const value = this.buffer.readInt16BE(this.at);
    this.at += 2;
    return value;
  }

  int32(): number {
    const value = this.buffer.readInt32BE(this.at);
    this.at += 4;
    return value;
  }

  /** 64 bits as a number, exact while it is a safe integer. */
  int64(): number {
    const value = readInt64(this.buffer, this.at);
    this.at += 8;
    return value;
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  nullableString(): string | null {
    const size = this.int16();
    if (size < 0) return null;
    const text = this.buffer.toString('utf8', this.at, this.at + size);
    this.at += size;
    return text;
  }

  string(): string {
    return this.nullableString() ?? '';
  }

  /** A null array reads as an empty one. */
  array<T>(read: () => T): T[] {
    const size = this.int32();
    const items: T[] = [];
    for (let i = 0; i < size; i++) items.push(read());
    return items;
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.buffer.readUInt8(this.at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
      if (shift > 28) throw new RangeError('a varint is longer than 32 bits');
    }
  }

  compactNullableString(): string | null {
    const size = this.unsignedVarint() - 1;
    if (size < 0) return null;
    if (this.at + size > this.buffer.length) throw new RangeError('a text runs over its response');
    const text = this.buffer.toString('utf8', this.at, this.at + size);
    this.at += size;
    return text;
  }

  compactString(): string {
    return this.compactNullableString() ?? '';
  }

  /** A null array reads as an empty one. */
  compactArray<T>(read: () => T): T[] {
    const size = this.unsignedVarint() - 1;
    const items: T[] = [];
    for (let i = 0; i < size; i++) items.push(read());
    return items;
  }

  /** Goes through the tagged fields. `read` is called with the reader at a field's first byte, for those it may know. */
  tags(read?: (tag: number) => void): void {
    const count = this.unsignedVarint();
    for (let i = 0; i < count; i++) {
      const tag = this.unsignedVarint();
      const size = this.unsignedVarint();
      const end = this.at + size;
      read?.(tag);
      this.at = end;
    }
  }
}
