import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Frame } from './frame.ts';
import { sealOf } from './segment.ts';
import type { Segment } from './segment.ts';
import type { Operation } from './change.ts';

/**
 * The places of a closed segment's batches, so that opening need not read them: `[MAGIC][u32 CRC-32 of the rest]`
 * `[u32 0]`, the segment's seal (number, size, last bytes) and, for each batch, ROW_FIELDS: all doubles, little-endian.
 * It holds nothing that the segment does not: an index that is missing, damaged, of an older version or of another file
 * is made again.
 */

/** topic id, partition, base offset, last offset, greatest timestamp, size, position */
export const ROW_FIELDS = 7;

const MAGIC = Buffer.from('MLRINDX2', 'latin1');
const CRC_AT = 8;
const SEAL_AT = 16;
const HEAD_BYTES = SEAL_AT + 3 * 8;

export function indexPathOf(segmentPath: string): string {
  return segmentPath.replace(/\.log$/, '.index');
}

/** The numbers of the segments that have an index among `names`. */
export function indexNumbers(names: readonly string[]): number[] {
  return names.filter((name) => /^\d{8,}\.index$/.test(name)).map((name) => Number.parseInt(name, 10));
}

export function rowsOf(frames: readonly Frame[]): number[] {
  const rows: number[] = [];
  for (const { operations, position } of frames) pushRows(rows, operations, position);
  return rows;
}

/** Adds the batches of one frame, which begin at `position`. */
export function pushRows(rows: number[], operations: readonly Operation[], position: number): void {
  for (const operation of operations) {
    if (operation.op !== 'append') continue;
    const { id, partition, base, last, max, size } = operation;
    rows.push(id, partition, base, last, max, size, position);
    position += size;
  }
}

export function writeIndex(segment: Segment, rows: readonly number[]): void {
  const bytes = Buffer.alloc(HEAD_BYTES + rows.length * 8);
  MAGIC.copy(bytes);
  sealOf(segment).forEach((part, i) => bytes.writeDoubleLE(part, SEAL_AT + i * 8));
  for (let i = 0; i < rows.length; i++) bytes.writeDoubleLE(rows[i]!, HEAD_BYTES + i * 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(SEAL_AT)), CRC_AT);
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
  if (bytes.readUInt32LE(CRC_AT) !== crc32(bytes.subarray(SEAL_AT))) return undefined;
  if (sealOf(segment).some((part, i) => bytes.readDoubleLE(SEAL_AT + i * 8) !== part)) return undefined;
  const rows = new Float64Array((bytes.length - HEAD_BYTES) / 8);
  for (let i = 0; i < rows.length; i++) rows[i] = bytes.readDoubleLE(HEAD_BYTES + i * 8);
  return rows;
}
