import { dirname } from 'node:path';
import { crc32c } from '../crc32c.ts';
import { LogError } from '../log.ts';
import type { TopicPartition } from '../log.ts';
import { decodeBatches } from '../record-batch-codec.ts';
import type { DecodedBatches } from '../record-batch-codec.ts';
import {
  ATTRIBUTES_AT,
  BASE_OFFSET_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LENGTH_AT,
  LENGTH_END,
  MAGIC_AT,
  readInt64,
  RECORDS_AT,
} from '../record-batch-header.ts';
import { advice, readExactly } from './segment.ts';
import type { Segment } from './segment.ts';

/** What is known of a batch without reading it. */
export interface BatchPlace {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly sizeBytes: number;
}

/** One batch as it is stored. It lies in memory, in a segment file, or (what was appended lately) in both. */
export interface StoredBatch extends BatchPlace {
  readonly maxTimestamp: number;
  /** Null when only the file has it. */
  bytes: Buffer | null;
  readonly segment: Segment | null;
  /** Where in the segment it begins. */
  readonly position: number;
  /** When this process first looked at it, which is within moments of its arrival or the log's opening. */
  seenMs?: number;
}

/**
 * A batch's bytes, from memory or from its file. Throws `LogError` `corrupt` when they are not what was written: what
 * copies a batch must not make damage look whole.
 */
export function loadBatch(at: TopicPartition, stored: StoredBatch): Buffer {
  if (stored.bytes !== null) return stored.bytes;
  const bytes = readExactly(stored.segment!, stored.position, stored.sizeBytes);
  checkStored(at, stored, bytes);
  return bytes;
}

/**
 * The records of a stored batch from `position` on. `bytes` are its own, from wherever they came. Throws `LogError`
 * `corrupt` with topic, partition, offset, file and byte.
 */
export function decodeStored(
  at: TopicPartition,
  stored: StoredBatch,
  bytes: Buffer,
  position: number,
): DecodedBatches {
  // Bytes that are still in memory need no check.
  if (stored.bytes === null) checkStored(at, stored, bytes);
  return decodeBatches(at.topic, at.partition, bytes, 0, bytes.length, position, { checkCrc: false });
}

/** How a batch is damaged; null when it is intact. Its own checksum leaves out the first 21 bytes. */
export function batchFault({ baseOffset, lastOffset, sizeBytes }: BatchPlace, bytes: Buffer): string | null {
  if (
    bytes.length !== sizeBytes ||
    sizeBytes < RECORDS_AT ||
    readInt64(bytes, BASE_OFFSET_AT) !== baseOffset ||
    bytes.readInt32BE(LENGTH_AT) !== sizeBytes - LENGTH_END ||
    bytes.readInt8(MAGIC_AT) !== 2 ||
    bytes.readInt32BE(LAST_OFFSET_DELTA_AT) !== lastOffset - baseOffset
  )
    return 'its head is not what was written';
  if (crc32c(bytes, ATTRIBUTES_AT) !== bytes.readUInt32BE(CRC_AT)) return 'it does not match its checksum';
  return null;
}

function checkStored({ topic, partition }: TopicPartition, stored: StoredBatch, bytes: Buffer): void {
  const fault = batchFault(stored, bytes);
  if (fault === null) return;
  const { path } = stored.segment!;
  const { baseOffset, lastOffset, position } = stored;
  const offsets =
    lastOffset === baseOffset ? `offset ${baseOffset}` : `offsets ${baseOffset} to ${lastOffset}`;
  throw new LogError(
    'corrupt',
    `the batch of ${offsets} of ${topic}-${partition} is damaged: ${fault} (${path} at byte ${position}); ` +
      advice(dirname(path)),
    { topic, partition, offset: baseOffset },
  );
}
