import type { ByteWriter } from '../common/bytes.ts';

/**
 * Keys of windows and sessions.
 *
 * In the changelog they are Kafka Streams': key ‖ window start (8) ‖ sequence (4), and key ‖ end (8) ‖ start (8),
 * big-endian, signed.
 *
 * In the database, after the store's number:
 * [space u8][segment 6][key length u32][key][time 8][second 8], integers biased so that negative ones sort first.
 * The length makes keys self-delimiting: no range of one key's times holds rows of another key.
 */

const TWO_32 = 0x1_0000_0000;
const BIAS_HIGH_32 = 0x8000_0000;
const SEGMENT_BIAS = 2 ** 47;
const INT64_EDGE = 2 ** 62;

/** Bytes before the key: space, segment, key length. */
export const TIMED_PREFIX_BYTES = 11;

export function readSafeInt64(bytes: Uint8Array, at: number): number {
  const high = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  const low =
    ((bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!) >>> 0;
  return high * TWO_32 + low;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** A signed 64-bit integer whose bytes sort as it does; numbers beyond are cut off at the edge. */
export function writeSortable(writer: ByteWriter, value: number): void {
  const cut = Math.max(-INT64_EDGE, Math.min(INT64_EDGE, value));
  const high = Math.floor(cut / TWO_32);
  writer.reserve(8);
  writer.buffer.writeUInt32BE(high + BIAS_HIGH_32, writer.length);
  writer.buffer.writeUInt32BE(cut - high * TWO_32, writer.length + 4);
  writer.length += 8;
}

export function readSortable(bytes: Uint8Array, at: number): number {
  return (readUint32(bytes, at) - BIAS_HIGH_32) * TWO_32 + readUint32(bytes, at + 4);
}

export function writeSegment(writer: ByteWriter, segment: number): void {
  const biased = Math.max(0, Math.min(2 ** 48 - 1, segment + SEGMENT_BIAS));
  writer.reserve(6);
  writer.length = writer.buffer.writeUIntBE(biased, writer.length, 6);
}

/** The part of a database key that all rows of a key within a segment share. */
export function writeTimedPrefix(
  writer: ByteWriter,
  space: number,
  segment: number,
  key: Uint8Array,
  start: number,
  end: number,
): void {
  writer.writeByte(space);
  writeSegment(writer, segment);
  writer.writeInt32(end - start);
  writer.writeBytes(key, start, end);
}
