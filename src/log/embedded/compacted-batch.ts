import { NO_PRODUCER, writeBatchHead } from '../batch-head.ts';
import { DELETE_HORIZON_BIT, RECORDS_AT } from '../record-batch-header.ts';
import type { RecordBatch } from '../record-batch.ts';
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../varint.ts';

/** Length, attributes and two deltas at their longest. */
const PREFIX_BYTES_MAX = 5 + 1 + 10 + 5;
const FIRST_BYTES = 4096;

/**
 * A record batch made of records of other batches, with their offsets, timestamps, keys, values and headers. It covers
 * the offsets of all the batches it was made of, also where no record is left.
 */
export class CompactedBatch {
  readonly baseOffset: number;
  /** Milliseconds since the epoch; null when there are no tombstones in it. */
  readonly deleteHorizonMs: number | null;
  /** The last offset that it covers, with a record or without. */
  lastOffset: number;
  /** -1 while there is no record in it. */
  maxTimestamp = -1;
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #end = RECORDS_AT;
  #count = 0;
  /** Null before the first record. */
  #baseTimestamp: number | null;

  constructor(baseOffset: number, deleteHorizonMs: number | null) {
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
    this.#reserve(buffer.length - at + count * PREFIX_BYTES_MAX);
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
      attributes: this.deleteHorizonMs === null ? 0 : DELETE_HORIZON_BIT,
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
    const bytes = this.#bytes;
    let at = writeVarint(
      bytes,
      this.#end,
      1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta) + end - body,
    );
    bytes[at++] = 0;
    at = writeVarlong(bytes, at, timestampDelta);
    at = writeVarint(bytes, at, offsetDelta);
    this.#end = at + buffer.copy(bytes, at, body, end);
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

function skipVarint(bytes: Buffer, at: number): number {
  while (bytes[at++]! > 0x7f);
  return at;
}
