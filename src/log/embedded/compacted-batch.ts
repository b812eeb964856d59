import { copyBytes } from '../../common/bytes.ts';
import { NO_PRODUCER, writeBatchHead } from '../batch-head.ts';
import { DELETE_HORIZON_BIT, RECORDS_AT } from '../record-batch-header.ts';
import type { RecordBatch } from '../record-batch.ts';
import type { Change } from './change.ts';
import type { PartitionLog } from './partition-log.ts';
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../varint.ts';

/** Length, attributes and two deltas at their longest. */
const PREFIX_BYTES_MAX = 5 + 1 + 10 + 5;
const FIRST_BYTES = 4096;
/**
 * An attribute of our own, which no batch that comes from elsewhere has and every reader passes over: everything up to
 * the end of the batch was held to all keys up to there, so it need not be gathered again after a restart.
 */
export const CLEAN_BIT = 0x4000;

/**
 * A record batch made of records of other batches, with their offsets, timestamps, keys, values and headers. It covers
 * the offsets of all the batches it was made of, also where no record is left.
 */
export class CompactedBatch {
  readonly baseOffset: number;
  /** Milliseconds since the epoch; null when there are no tombstones in it. */
  readonly deleteHorizonMs: number | null;
  readonly #isClean: boolean;
  /** The last offset that it covers, with a record or without. */
  lastOffset: number;
  /** -1 while there is no record in it. */
  maxTimestamp = -1;
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #end = RECORDS_AT;
  #count = 0;
  /** Null before the first record. */
  #baseTimestamp: number | null;

  /** `isClean`: whether it gets the `CLEAN_BIT`. */
  constructor(baseOffset: number, deleteHorizonMs: number | null, isClean: boolean) {
    this.#isClean = isClean;
    this.baseOffset = baseOffset;
    this.lastOffset = baseOffset;
    this.deleteHorizonMs = deleteHorizonMs;
    this.#baseTimestamp = deleteHorizonMs;
  }

  get sizeBytes(): number {
    return this.#end;
  }

  /** Adds those records of `batch` that `keep` marks with 1. The first record begins at `at` of its buffer. */
  addRecords(batch: RecordBatch, keep: Uint8Array, at: number): void {
    const { buffer, count, offsets, timestamps } = batch;
    for (let i = 0; i < count; i++) {
      let size = 0;
      let byte = 0x80;
      for (let shift = 0; byte > 0x7f; shift += 7) {
        byte = buffer[at++]!;
        size |= (byte & 0x7f) << shift;
      }
      const end = at + (size >>> 1);
      if (keep[i] === 1) {
        const body = skipVarint(buffer, skipVarint(buffer, at + 1));
        this.#addRecord(offsets[i]!, timestamps[i]!, buffer, body, end);
      }
      at = end;
    }
  }

  /** The batch in Kafka's encoding. */
  encode(): Buffer {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#end));
    const head = {
      baseOffset: this.baseOffset,
      attributes: (this.deleteHorizonMs === null ? 0 : DELETE_HORIZON_BIT) | (this.#isClean ? CLEAN_BIT : 0),
      lastOffsetDelta: this.lastOffset - this.baseOffset,
      baseTimestamp: this.#baseTimestamp ?? -1,
      maxTimestamp: this.maxTimestamp,
      count: this.#count,
    };
    writeBatchHead(bytes, head, NO_PRODUCER);
    return bytes;
  }

  /** `body` is where its key's length stands. */
  #addRecord(offset: number, timestamp: number, buffer: Buffer, body: number, end: number): void {
    if (this.#baseTimestamp === null) this.#baseTimestamp = timestamp;
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    const timestampDelta = timestamp - this.#baseTimestamp;
    const offsetDelta = offset - this.baseOffset;
    this.#reserve(PREFIX_BYTES_MAX + end - body);
    const bytes = this.#bytes;
    let at = writeVarint(
      bytes,
      this.#end,
      1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta) + end - body,
    );
    bytes[at++] = 0;
    at = writeVarlong(bytes, at, timestampDelta);
    at = writeVarint(bytes, at, offsetDelta);
    copyBytes(buffer, body, end, bytes, at);
    this.#end = at + end - body;
    this.#count++;
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#end + sizeBytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

/** The change that puts compacted batches in place, but for those that were dropped while they were made. */
export function replacementOf(log: PartitionLog, compacted: readonly CompactedBatch[]): Change {
  const wanted = compacted.filter(({ lastOffset }) => lastOffset >= log.start);
  const batches = wanted.map((batch) => batch.encode());
  const operations = wanted.map(({ baseOffset, lastOffset, maxTimestamp }, i) => ({
    op: 'append' as const,
    id: log.topicId,
    partition: log.partition,
    base: baseOffset,
    last: lastOffset,
    max: maxTimestamp,
    size: batches[i]!.length,
  }));
  return { operations, batches };
}

function skipVarint(bytes: Buffer, at: number): number {
  while (bytes[at++]! > 0x7f);
  return at;
}
