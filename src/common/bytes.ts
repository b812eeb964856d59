import { viewOf } from './view-of.ts';

/**
 * Bytes on the hot path: a growing buffer that encoders write into, and comparison and hashing of byte ranges.
 */

export const EMPTY_BYTES: Buffer = Buffer.alloc(0);

/**
 * A growable buffer with a write position. Encoders write and never keep a reference to `buffer`,
 * which is replaced when it grows. Reset it with `length = 0` and use it again.
 */
export class ByteWriter {
  buffer: Buffer;
  /** All of `buffer`, for writing several bytes at once. */
  view: DataView;
  /** How many bytes are written: the position of the next write. */
  length = 0;

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
    this.view = viewOf(this.buffer);
  }

  /** Makes room for `extra` more bytes. Call once per value, then write to `buffer` directly. */
  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
    this.view = viewOf(grown);
  }

  writeByte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  /** Copies `source[start, end)`. */
  writeBytes(source: Uint8Array, start = 0, end = source.length): void {
    const size = end - start;
    this.reserve(size);
    copyBytes(source, start, end, this.buffer, this.length);
    this.length += size;
  }

  writeInt32(value: number): void {
    this.reserve(4);
    this.length = this.buffer.writeInt32BE(value, this.length);
  }

  writeInt64(value: bigint): void {
    this.reserve(8);
    this.length = this.buffer.writeBigInt64BE(value, this.length);
  }

  /** A 64-bit big-endian integer from a JavaScript number that is a safe integer. */
  writeSafeInt64(value: number): void {
    this.reserve(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.buffer.writeInt32BE(high | 0, this.length);
    this.buffer.writeUInt32BE(value - high * 0x1_0000_0000, this.length + 4);
    this.length += 8;
  }

  writeDouble(value: number): void {
    this.reserve(8);
    this.length = this.buffer.writeDoubleBE(value, this.length);
  }

  /** UTF-8, without a length. Short ASCII text is written by hand: a call into C++ costs more than the loop. */
  writeText(text: string): void {
    const size = text.length;
    this.reserve(size * 3);
    if (size <= 48) {
      const buffer = this.buffer;
      let at = this.length;
      let i = 0;
      for (; i < size; i++) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) break;
        buffer[at++] = code;
      }
      if (i === size) {
        this.length = at;
        return;
      }
    }
    this.length += this.buffer.write(text, this.length, 'utf8');
  }

  /** What was written so far, as a copy that stays valid. */
  toBytes(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.length));
  }
}

/** Copies a range; short ranges in a loop, because a call into C++ costs more than they do. */
export function copyBytes(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start > 64) {
    (target as Buffer).set(source.subarray(start, end), at);
    return;
  }
  for (let i = start; i < end; i++) target[at++] = source[i]!;
}

/** Lexicographic order of unsigned bytes (memcmp): negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/**
 * A 32-bit hash of a range for in-memory tables: MurmurHash3's steps of four bytes, FNV-1a for those left over, a final mix.
 * Not stable across releases.
 */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    const mixed = Math.imul(word, 0xcc9e2d51);
    hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  for (; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) | 0;
}
