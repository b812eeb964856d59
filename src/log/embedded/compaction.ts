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
import { CLEAN_BIT, CompactedBatch } from './compacted-batch.ts';
import type { LastOffsets } from './last-offsets.ts';
import type { PartitionLog } from './partition-log.ts';
import { readExactly } from './segment.ts';
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
  /** Small batches are merged up to about this size. Default 256 KiB. */
  readonly batchBytes?: number;
  /** Compacted bytes that wait in memory before they are put in place. Default 4 MiB. */
  readonly replaceBytes?: number;
}

/** Bytes that are worked through before timers and sockets get their turn. */
const SLICE_BYTES = 512 * 1024;
const BATCH_BYTES = 256 * 1024;
const REPLACE_BYTES = 4 * 1024 * 1024;
/** A batch counts its offsets in 31 bits. */
const OFFSETS_MAX = 0x4000_0000;
/** Horizons are rounded up to this part of the retention, so that neighbours have the same one and can be merged. */
const HORIZON_PARTS = 24;
/** Heads of batches that are read in a turn. */
const HEADS_A_TURN = 1000;
/** The part of a partition's bytes that must be expected to go. */
const GAIN_MIN = 0.2;
/** So many batches of the clean part are looked through for what would go of it. */
const SAMPLES = 16;

/**
 * Drops the records of a partition that a later one of the same key follows, as `cleanup.policy` `compact` allows. The
 * newest batch stays whole, and all from the first on that is younger than `minLagMs`; records without a key stay.
 * Tombstones stay for `delete.retention.ms` after they were compacted for the first time, which their batch remembers as
 * Kafka's does (KIP-534): a store that is behind must not miss them. Resolves to false when nothing was done because too
 * little would go.
 *
 * What lies below `log.cleanEnd` was compacted before: of that part no key needs to be known any more. The keys behind it
 * are gathered in `lastOffsets`, as many as it takes, and everything up to the last of them is held to them; then the
 * clean part ends there, and the next call goes on. So what a call needs in memory depends on no number of keys.
 *
 * The new batches cover the same offsets as the old ones without a hole, so each offset between the partition's start
 * and end belongs to one batch always. Goes in slices, oldest first; each step leaves a partition that can be read, in
 * which all that a tombstone deletes is gone when the tombstone gets its horizon.
 */
export async function compact(
  log: PartitionLog,
  lastOffsets: LastOffsets,
  options: CompactionOptions,
): Promise<boolean> {
  const newest = log.firstYounger(options.minLagMs, options.nowMs);
  if (newest === undefined || newest.baseOffset <= log.cleanEnd) return false;
  const pass = new Pass(log, lastOffsets, options);
  // Records that are too young to be compacted do not replace older ones either.
  const end = options.minLagMs > 0 ? newest.baseOffset : newest.lastOffset + 1;
  const mapped = await pass.gather(end);
  if (mapped === null) return false;
  // With keys left over there is no telling what will go, and if the clean part did not grow they would never be met.
  if (mapped === end && (await pass.gainBytes()) < log.sizeBytes * GAIN_MIN) return false;
  await pass.rewrite(Math.min(mapped, newest.baseOffset));
  return true;
}

/**
 * The offset below which a partition is compacted, from what its batches say, which an earlier process may have written.
 * Behind the first one that is not clean none counts: a repaired log may have got back what had been compacted.
 */
export async function findCleanEnd(log: PartitionLog, isStopped: () => boolean): Promise<number> {
  let end = log.start;
  for (let count = 1; ; count++) {
    const stored = log.at(log.indexOf(end));
    if (stored === undefined || !isClean(headOf(stored))) return end;
    end = stored.lastOffset + 1;
    if (count % HEADS_A_TURN !== 0) continue;
    await nextTurn();
    if (isStopped() || log.deleted) return log.start;
  }
}

class Pass {
  readonly #log: PartitionLog;
  readonly #lastOffsets: LastOffsets;
  readonly #options: CompactionOptions;
  readonly #newHorizon: number;
  /** Bytes that were worked through in this turn. */
  #slice = 0;
  readonly #batchBytes: number;
  readonly #replaceBytes: number;
  /** What `gather` met: bytes, records, and those of them that another one of their key follows. */
  #dirtyBytes = 0;
  #dirtyRecords = 0;
  #dirtyReplaced = 0;

  constructor(log: PartitionLog, lastOffsets: LastOffsets, options: CompactionOptions) {
    this.#log = log;
    this.#lastOffsets = lastOffsets;
    this.#options = options;
    this.#batchBytes = options.batchBytes ?? BATCH_BYTES;
    this.#replaceBytes = options.replaceBytes ?? REPLACE_BYTES;
    const { nowMs, deleteRetentionMs } = options;
    const part = Math.max(1, Math.ceil(deleteRetentionMs / HORIZON_PARTS));
    this.#newHorizon = Math.ceil((nowMs + deleteRetentionMs) / part) * part;
  }

  /** Gathers the keys behind the clean part; the offset below which all are known, `end` at most. Null: it was stopped. */
  async gather(end: number): Promise<number | null> {
    const lastOffsets = this.#lastOffsets;
    const log = this.#log;
    const from = Math.max(log.start, log.cleanEnd);
    const base = log.at(log.indexOf(from))?.baseOffset ?? from;
    lastOffsets.clear(base, end - base);
    let keys = 0;
    let mapped = end;
    const finished = await this.#eachBatch(from, end, (stored, _bytes, batch) => {
      if (lastOffsets.isFull || !lastOffsets.reaches(stored.lastOffset)) {
        mapped = stored.baseOffset;
        return false;
      }
      this.#dirtyBytes += stored.sizeBytes;
      if (batch === null) return true;
      const { buffer, count, keyStart, keyEnd, offsets } = batch;
      this.#dirtyRecords += count;
      for (let i = 0; i < count; i++) {
        if (keyStart[i]! < 0) continue;
        lastOffsets.add(buffer, keyStart[i]!, keyEnd[i]!, offsets[i]!);
        keys++;
      }
      return true;
    });
    this.#dirtyReplaced = keys - lastOffsets.count;
    return finished ? mapped : null;
  }

  /** How many bytes may go: of the dirty part by what was counted, of the clean part by some of its batches. */
  async gainBytes(): Promise<number> {
    const log = this.#log;
    const clean = log.indexOf(log.cleanEnd);
    let met = 0;
    let gone = 0;
    const step = Math.max(1, clean / SAMPLES);
    for (let at = 0; Math.floor(at) < clean; at += step) {
      const stored = log.at(Math.floor(at));
      if (stored === undefined) break;
      const { bytes, batch } = this.#load(stored);
      met += batch?.count ?? 0;
      gone += (batch?.count ?? 0) - this.#survivors(bytes, batch).kept;
      if (!(await this.#pause(stored))) return 0;
    }
    return (
      part(this.#dirtyReplaced, this.#dirtyRecords) * this.#dirtyBytes + part(gone, met) * log.cleanBytes
    );
  }

  /** Holds what lies below `end` to the keys that were gathered; then it is clean. */
  async rewrite(end: number): Promise<void> {
    let done: CompactedBatch[] = [];
    let doneBytes = 0;
    let current: CompactedBatch | null = null;
    const finished = await this.#eachBatch(this.#log.start, end, async (stored, bytes, batch) => {
      const { keep, kept, tombstones, horizon } = this.#survivors(bytes, batch);
      const wanted = tombstones ? (horizon ?? this.#newHorizon) : null;
      if (current === null || !this.#hasRoom(current, stored, wanted)) {
        doneBytes += current?.sizeBytes ?? 0;
        current = null;
        if (doneBytes >= this.#replaceBytes) {
          await this.#options.replace(done);
          done = [];
          doneBytes = 0;
        }
        // There is nothing to write of a large batch that nothing goes from, when it says already that it is clean.
        const isWhole = kept === batch?.count && (wanted === null || wanted === horizon);
        if (isWhole && isClean(bytes) && stored.sizeBytes >= this.#batchBytes / 2) return true;
        current = new CompactedBatch(stored.baseOffset, wanted, true);
        done.push(current);
      }
      if (batch !== null) current.addRecords(batch, keep, batch.buffer === bytes ? RECORDS_AT : 0);
      current.lastOffset = stored.lastOffset;
      return true;
    });
    if (!finished) return;
    if (done.length > 0) await this.#options.replace(done);
    this.#log.cleanTo(end);
  }

  #hasRoom(current: CompactedBatch, stored: StoredBatch, horizon: number | null): boolean {
    if (current.sizeBytes >= this.#batchBytes || stored.lastOffset - current.baseOffset >= OFFSETS_MAX)
      return false;
    return horizon === null || horizon === current.deleteHorizonMs;
  }

  /** Which records stay (marked with 1), how many, and whether there are tombstones among them. */
  #survivors(bytes: Buffer, batch: RecordBatch | null): Survivors {
    const horizon = horizonOf(bytes);
    const keep = new Uint8Array(batch?.count ?? 0);
    let kept = 0;
    let tombstones = false;
    if (batch === null) return { keep, kept, tombstones, horizon };
    const withoutTombstones = horizon !== null && horizon <= this.#options.nowMs;
    const lastOffsets = this.#lastOffsets;
    const { buffer, count, keyStart, keyEnd, valueStart, offsets } = batch;
    for (let i = 0; i < count; i++) {
      if (keyStart[i]! >= 0) {
        const tombstone = valueStart[i]! < 0;
        if (tombstone && withoutTombstones) continue;
        if (lastOffsets.replaces(buffer, keyStart[i]!, keyEnd[i]!, offsets[i]!)) continue;
        if (tombstone) tombstones = true;
      }
      keep[i] = 1;
      kept++;
    }
    return { keep, kept, tombstones, horizon };
  }

  /**
   * Visits the batches between two offsets in order, until `visit` says that it is enough; resolves to false when it was
   * stopped. By offset and not by index: while it waits, batches are dropped, added and moved.
   */
  async #eachBatch(
    from: number,
    end: number,
    visit: (stored: StoredBatch, bytes: Buffer, batch: RecordBatch | null) => boolean | Promise<boolean>,
  ): Promise<boolean> {
    const log = this.#log;
    for (let offset = from; ;) {
      const stored = log.at(log.indexOf(offset));
      if (stored === undefined || stored.baseOffset >= end) return true;
      const { bytes, batch } = this.#load(stored);
      if (!(await visit(stored, bytes, batch))) return true;
      offset = stored.lastOffset + 1;
      if (!(await this.#pause(stored))) return false;
    }
  }

  #load(stored: StoredBatch): { bytes: Buffer; batch: RecordBatch | null } {
    const { topic, partition } = this.#log;
    const bytes = loadBatch(this.#log, stored);
    const { batches } = decodeBatches(topic, partition, bytes, 0, bytes.length, stored.baseOffset, {
      checkCrc: false,
    });
    return { bytes, batch: batches[0] ?? null };
  }

  /** After each batch: lets others have their turn when it is time. Resolves to false when there is to be no more. */
  async #pause({ sizeBytes }: StoredBatch): Promise<boolean> {
    this.#slice += sizeBytes;
    if (this.#slice >= SLICE_BYTES) {
      this.#slice = 0;
      await nextTurn();
    }
    return !this.#options.isStopped() && !this.#log.deleted;
  }
}

interface Survivors {
  readonly keep: Uint8Array;
  readonly kept: number;
  readonly tombstones: boolean;
  /** When the tombstones of the batch may go; null when it was not compacted with tombstones in it yet. */
  readonly horizon: number | null;
}

/** Damage is found when the batch is compacted. */
function headOf({ bytes, segment, position }: StoredBatch): Buffer {
  return bytes ?? readExactly(segment!, position, RECORDS_AT);
}

function isClean(bytes: Buffer): boolean {
  return (bytes.readInt16BE(ATTRIBUTES_AT) & CLEAN_BIT) !== 0;
}

function part(of: number, all: number): number {
  return all === 0 ? 0 : of / all;
}

function horizonOf(bytes: Buffer): number | null {
  const flagged = (bytes.readInt16BE(ATTRIBUTES_AT) & DELETE_HORIZON_BIT) !== 0;
  return flagged ? readInt64(bytes, BASE_TIMESTAMP_AT) : null;
}
