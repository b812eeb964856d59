import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Segment } from './segment.ts';

/**
 * Where the batches of a closed segment lie, so that opening need not read them: `[MAGIC][u32 crc32][u32 0]`
 * `[f64 size of the segment]` and, for each batch, ROW_FIELDS doubles. Little-endian. It holds nothing that
 * the segment does not: a missing or damaged index is made again.
 */

/** topic id, partition, base offset, last offset, greatest timestamp, size, position */
export const ROW_FIELDS = 7;

const MAGIC = Buffer.from('MLRINDX1', 'latin1');
const HEAD_BYTES = 24;

export function indexPathOf(segmentPath: string): string {
  return segmentPath.replace(/\.log$/, '.index');
}

export function writeIndex(segment: Segment, rows: readonly number[]): void {
  const bytes = Buffer.alloc(HEAD_BYTES + rows.length * 8);
  MAGIC.copy(bytes);
  bytes.writeDoubleLE(segment.sizeBytes, 16);
  for (let i = 0; i < rows.length; i++) bytes.writeDoubleLE(rows[i]!, HEAD_BYTES + i * 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(16)), 8);
  const path = indexPathOf(segment.path);
  writeFileSync(`${path}.tmp`, bytes);
  renameSync(`${path}.tmp`, path);
}

/** The rows, or undefined when there is no index that fits the segment. */
export function readIndex(segment: Segment): Float64Array | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(indexPathOf(segment.path));
  } catch {
    return undefined;
  }
  if (bytes.length < HEAD_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (bytes.readUInt32LE(8) !== crc32(bytes.subarray(16))) return undefined;
  if (bytes.readDoubleLE(16) !== segment.sizeBytes) return undefined;
  const rows = new Float64Array((bytes.length - HEAD_BYTES) / 8);
  for (let i = 0; i < rows.length; i++) rows[i] = bytes.readDoubleLE(HEAD_BYTES + i * 8);
  return rows;
}
