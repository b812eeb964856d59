import { nextTurn } from '../../common/clock.ts';
import { decodeBatches } from '../record-batch-codec.ts';
import {
  ATTRIBUTES_AT,
  BASE_TIMESTAMP_AT,
  DELETE_HORIZON_BIT,
  readInt64,
  RECORDS_AT,
} from '../record-batch-header.ts';
import type { RecordBatch } from '../record-batch.ts';
import { CompactedBatch } from './compacted-batch.ts';
import type { PartitionLog } from './partition-log.ts';
import { loadBatch } from './stored-batch.ts';
import type { StoredBatch } from './stored-batch.ts';

export interface CompactionOptions {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** `delete.retention.ms`: how long a tombstone stays after the first compaction that met it. */
  readonly deleteRetentionMs: number;
  /** `min.compaction.lag.ms`: records stay, and take nothing away, until they are that old. */
  readonly minLagMs: number;
  readonly isStopped: () => boolean;
  /** Puts batches in the place of those whose offsets they cover. */
  readonly replace: (batches: readonly CompactedBatch[]) => Promise<void>;
}

/** Bytes that are worked through before timers and sockets get their turn. */
const SLICE_BYTES = 2 * 1024 * 1024;
/** Small batches are merged up to about this size. */
const BATCH_BYTES = 256 * 1024;
/** Compacted bytes that wait in memory before they are put in place. */
const REPLACE_BYTES = 8 * 1024 * 1024;
/** A batch counts its offsets in 31 bits. */
const OFFSETS_MAX = 0x4000_0000;
/** Horizons are rounded up to this part of the retention, so that neighbours have the same one and can be merged. */
const HORIZON_PARTS = 24;

/**
 * Drops the records of a partition that a later one of the same key follows, as `cleanup.policy` `compact` allows.
 * The newest batch stays whole, and all from the first on that is younger than `minLagMs`; records without a key stay. Tombstones stay for `delete.retention.ms` after they were
 * compacted for the first time, which their batch remembers as Kafka's does (KIP-534): a store that is behind must not
 * miss them.
 *
 * The new batches cover the same offsets as the old ones without a hole, so each offset between the partition's start
 * and end belongs to one batch always. Goes in slices, oldest first; each step leaves a partition that can be read.
 */
export async function compact(log: PartitionLog, options: CompactionOptions): Promise<void> {
  const newest = log.firstYounger(options.minLagMs, options.nowMs);
  if (newest === undefined) return;
  const lastOffsets = new Map<string, number>();
  // Records that are too young to be compacted do not replace older ones either.
  const end = options.minLagMs > 0 ? newest.baseOffset : newest.lastOffset + 1;
  const complete = await eachBatch(log, end, options, (_stored, _bytes, batch) => {
    for (let i = 0; batch !== null && i < batch.count; i++)
      if (batch.keyStart[i]! >= 0) lastOffsets.set(keyAt(batch, i), batch.offsets[i]!);
  });
  if (!complete) return;

  const { nowMs, deleteRetentionMs } = options;
  const part = Math.max(1, Math.ceil(deleteRetentionMs / HORIZON_PARTS));
  const newHorizon = Math.ceil((nowMs + deleteRetentionMs) / part) * part;
  let done: CompactedBatch[] = [];
  let doneBytes = 0;
  const finished = await eachBatch(log, newest.baseOffset, options, async (stored, bytes, batch) => {
    const horizon = horizonOf(bytes);
    const { keep, tombstones } = survivors(batch, lastOffsets, horizon !== null && horizon <= nowMs);
    const wanted = tombstones ? (horizon ?? newHorizon) : null;
    let current = done.at(-1);
    if (current === undefined || !hasRoom(current, stored, wanted)) {
      doneBytes += current?.sizeBytes ?? 0;
      if (doneBytes >= REPLACE_BYTES) {
        await options.replace(done);
        done = [];
        doneBytes = 0;
      }
      current = new CompactedBatch(stored.baseOffset, wanted);
      done.push(current);
    }
    if (batch !== null) current.addRecords(batch, keep, batch.buffer === bytes ? RECORDS_AT : 0);
    current.lastOffset = stored.lastOffset;
  });
  if (finished && done.length > 0) await options.replace(done);
}

function hasRoom(current: CompactedBatch, stored: StoredBatch, horizon: number | null): boolean {
  if (current.sizeBytes >= BATCH_BYTES || stored.lastOffset - current.baseOffset >= OFFSETS_MAX) return false;
  return horizon === null || horizon === current.deleteHorizonMs;
}

/** Which records stay (marked with 1), and whether there are tombstones among them. */
function survivors(
  batch: RecordBatch | null,
  lastOffsets: ReadonlyMap<string, number>,
  withoutTombstones: boolean,
): { keep: Uint8Array; tombstones: boolean } {
  const keep = new Uint8Array(batch?.count ?? 0);
  let tombstones = false;
  for (let i = 0; batch !== null && i < batch.count; i++) {
    const tombstone = batch.keyStart[i]! >= 0 && batch.valueStart[i]! < 0;
    if (tombstone && withoutTombstones) continue;
    if (batch.keyStart[i]! >= 0 && lastOffsets.get(keyAt(batch, i)) !== batch.offsets[i]) continue;
    keep[i] = 1;
    if (tombstone) tombstones = true;
  }
  return { keep, tombstones };
}

/**
 * Visits the batches below `end` in order; resolves to false when it was stopped. By offset and not by index: while
 * it waits, batches are dropped, added and moved.
 */
async function eachBatch(
  log: PartitionLog,
  end: number,
  { isStopped }: CompactionOptions,
  visit: (stored: StoredBatch, bytes: Buffer, batch: RecordBatch | null) => void | Promise<void>,
): Promise<boolean> {
  const { topic, partition } = log;
  let slice = 0;
  for (let offset = log.start; ;) {
    if (isStopped() || log.deleted) return false;
    const stored = log.at(log.indexOf(offset));
    if (stored === undefined || stored.baseOffset >= end) return true;
    const bytes = loadBatch(log, stored);
    const found = decodeBatches(topic, partition, bytes, 0, bytes.length, stored.baseOffset, {
      checkCrc: false,
    });
    await visit(stored, bytes, found.batches[0] ?? null);
    offset = stored.lastOffset + 1;
    slice += stored.sizeBytes;
    if (slice < SLICE_BYTES) continue;
    slice = 0;
    await nextTurn();
  }
}

function keyAt(batch: RecordBatch, i: number): string {
  return batch.buffer.toString('latin1', batch.keyStart[i]!, batch.keyEnd[i]!);
}

/** When the tombstones of a batch may go; null when it was not compacted with tombstones in it yet. */
function horizonOf(bytes: Buffer): number | null {
  const flagged = (bytes.readInt16BE(ATTRIBUTES_AT) & DELETE_HORIZON_BIT) !== 0;
  return flagged ? readInt64(bytes, BASE_TIMESTAMP_AT) : null;
}
