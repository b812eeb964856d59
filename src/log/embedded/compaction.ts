import { nextTurn } from '../../common/clock.ts';
import { crc32c } from '../crc32c.ts';
import { decodeBatches } from '../record-batch-codec.ts';
import {
  ATTRIBUTES_AT,
  CODEC_MASK,
  COUNT_AT,
  CRC_AT,
  LENGTH_AT,
  LENGTH_END,
  RECORDS_AT,
} from '../record-batch-header.ts';
import type { RecordBatch } from '../record-batch.ts';
import type { PartitionLog, StoredBatch } from './partition-log.ts';

/** Bytes that are worked through before timers and sockets get their turn. */
const SLICE_BYTES = 2 * 1024 * 1024;

/**
 * Drops from a partition in memory the records that a later one of the same key follows, as `cleanup.policy`
 * `compact` allows. Offsets stay, with gaps; the newest batch stays whole; records without a key stay. Tombstones
 * stay too: a state store that is behind must not miss them.
 *
 * Goes in slices and replaces the batches at the end, in one step; stops when `isStopped` says so.
 */
export async function compact(log: PartitionLog, isStopped: () => boolean): Promise<void> {
  const before = Array.from({ length: log.batchCount }, (_, i) => log.at(i)!);
  const newest = before.pop();
  if (newest === undefined) return;

  const lastOffsets = new Map<string, number>();
  const pace = paceOf(isStopped, log);
  for (const stored of [...before, newest]) {
    const batch = decode(log, stored);
    for (let i = 0; batch !== null && i < batch.count; i++)
      if (batch.keyStart[i]! >= 0) lastOffsets.set(keyAt(batch, i), batch.offsets[i]!);
    if (!(await pace(stored.sizeBytes))) return;
  }

  const replacement: StoredBatch[] = [];
  for (const stored of before) {
    const batch = decode(log, stored);
    const kept = batch === null ? null : compactBatch(stored, batch, lastOffsets);
    if (kept !== null) replacement.push(kept);
    if (!(await pace(stored.sizeBytes))) return;
  }
  log.replaceBefore(
    newest.baseOffset,
    replacement.filter(({ lastOffset }) => lastOffset >= log.start),
  );
}

/** Resolves to false when the work is to end. A batch whose bytes are gone was trimmed meanwhile. */
function paceOf(isStopped: () => boolean, log: PartitionLog): (sizeBytes: number) => Promise<boolean> {
  let slice = 0;
  return async (sizeBytes) => {
    slice += sizeBytes;
    if (slice >= SLICE_BYTES) {
      slice = 0;
      await nextTurn();
    }
    return !isStopped() && !log.deleted;
  };
}

function decode(log: PartitionLog, stored: StoredBatch): RecordBatch | null {
  if (stored.bytes === null) return null;
  const { bytes } = stored;
  const options = { checkCrc: false };
  return (
    decodeBatches(log.topic, log.partition, bytes, 0, bytes.length, stored.baseOffset, options).batches[0] ??
    null
  );
}

function keyAt(batch: RecordBatch, i: number): string {
  return batch.buffer.toString('latin1', batch.keyStart[i]!, batch.keyEnd[i]!);
}

/** The batch without the records that are superseded; null when none is left. Records keep their encoding. */
function compactBatch(
  stored: StoredBatch,
  batch: RecordBatch,
  lastOffsets: ReadonlyMap<string, number>,
): StoredBatch | null {
  const source = stored.bytes!;
  const { buffer, count } = batch;
  // Uncompressed batches are decoded in place, gzipped ones into a buffer of records alone.
  let at = buffer === source ? RECORDS_AT : 0;
  const bytes = Buffer.allocUnsafeSlow(RECORDS_AT + buffer.length - at);
  source.copy(bytes, 0, 0, RECORDS_AT);
  let length = RECORDS_AT;
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const start = at;
    let size = 0;
    let byte = 0x80;
    for (let shift = 0; byte > 0x7f; shift += 7) {
      byte = buffer[at++]!;
      size |= (byte & 0x7f) << shift;
    }
    at += size >>> 1;
    if (batch.keyStart[i]! >= 0 && lastOffsets.get(keyAt(batch, i)) !== batch.offsets[i]) continue;
    buffer.copy(bytes, length, start, at);
    length += at - start;
    kept++;
  }
  if (kept === 0) return null;
  // A copy, because the original is emptied when it is replaced.
  if (kept === count) return { ...stored };
  const compacted = Buffer.from(bytes.subarray(0, length));
  compacted.writeInt32BE(length - LENGTH_END, LENGTH_AT);
  compacted.writeInt16BE(compacted.readInt16BE(ATTRIBUTES_AT) & ~CODEC_MASK, ATTRIBUTES_AT);
  compacted.writeInt32BE(kept, COUNT_AT);
  compacted.writeUInt32BE(crc32c(compacted, ATTRIBUTES_AT), CRC_AT);
  return { ...stored, sizeBytes: length, bytes: compacted };
}
