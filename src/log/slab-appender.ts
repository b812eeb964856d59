import { AssertionError } from '../common/assert.ts';
import { copyBytes, EMPTY_BYTES } from '../common/bytes.ts';
import { copyRange } from '../common/copy-range.ts';
import { viewOf } from '../common/view-of.ts';
import { NO_PRODUCER, type ProducerStamp, writeBatchHead } from './batch-head.ts';
import type { Compressor } from './codecs.ts';
import { LogError } from './log.ts';
import type { TopicPartition } from './log.ts';
import type { RecordAppender } from './record-appender.ts';
import { CODEC_NONE, RECORDS_AT } from './record-batch-header.ts';
import type { Header } from './record-batch.ts';
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint.ts';

/** A finished batch, base offset 0: a broker (or the embedded log) patches the base offset in, outside the CRC. */
export interface SealedBatch {
  readonly bytes: Buffer;
  readonly recordCount: number;
  /** The first record's timestamp, not the smallest. */
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
}

/** The sequence number `count` records after `sequence`: 31 bits, around to 0. -1 is none, and stays. */
export function sequenceAfter(sequence: number, count: number): number {
  return sequence < 0 ? sequence : (sequence + count) % 0x8000_0000;
}

export interface SlabAppenderOptions {
  /** The largest batch of several records, head included and before compression. Default `REQUEST_BYTES_MAX`. */
  readonly batchBytesMax?: number;
  /**
   * The largest record, in a batch of its own: the batch's head included and before compression, as Kafka's
   * `max.request.size` counts. Default `batchBytesMax`.
   */
  readonly recordBytesMax?: number;
  /** Null: batches are not compressed. */
  readonly compressor?: Compressor | null;
  /** What the topic refuses, as far as that is known. */
  readonly limits?: TopicLimits | null;
}

/** Kafka's `max.request.size`: below what a topic takes unless it was told otherwise (`max.message.bytes` 1,048,588). */
export const REQUEST_BYTES_MAX = 1_048_576;
/** Brokers take no larger request (`socket.request.max.bytes`), unless they are told to; no buffer is a GiB. */
export const REQUEST_BYTES_LIMIT = 1_000_000_000;

/** Readers of other makes spread a batch over call arguments: some fail above 100,000 records. */
const BATCH_RECORDS_MAX = 50_000;
const SLAB_BYTES_MIN = 8 * 1024;
const FREE_SLABS_MAX = 2;

/** What brokers refuse of a topic, by its settings. */
export interface TopicLimits {
  /** The largest batch of several records. */
  readonly batchBytesMax: number;
  /** `max.message.bytes`: the largest batch at all, compressed. */
  readonly recordBytesMax: number;
  /** Whether every record must have a key: compaction goes by it. */
  readonly keyed: boolean;
  /** The times that the topic takes (`message.timestamp.before.max.ms` and `.after.max.ms`); milliseconds. */
  readonly timestampMin: number;
  readonly timestampMax: number;
}

/** A batch that is full, or the one being filled. `slab[0, RECORDS_AT)` is the head's room. */
interface OpenBatch {
  slab: Buffer;
  /** The end of what was written. */
  length: number;
  count: number;
  firstTimestamp: number;
  maxTimestamp: number;
  /** Bytes of records since the last `take` that lie in earlier batches: what marks count from. */
  start: number;
}

/**
 * Encodes records straight into batch slabs. A mark is the count of record bytes appended since the last
 * `take`, so it costs nothing to make; rolling back walks the batch that it lies in.
 */
export class SlabAppender implements RecordAppender {
  readonly #partition: TopicPartition;
  readonly #compressor: Compressor | null;
  readonly #recordBytesMax: number;
  readonly #ownBatchBytesMax: number;
  /** The same, or less where the topic takes less. */
  #batchBytesMax: number;
  #limits: TopicLimits | null = null;
  /** The largest batch that the topic takes, as it is sent. */
  #sealedBytesMax = Infinity;
  /** Batches that are full. They are finished by `take`, so that a rollback can reopen them. */
  #full: OpenBatch[] = [];
  #fullRecords = 0;
  #free: Buffer[] = [];
  /** Slabs that left with a batch and may come back. */
  readonly #lent = new WeakSet<ArrayBufferLike>();

  /** Where the last value came from, and a view of all of it. */
  #source: Uint8Array = EMPTY_BYTES;
  #sourceView = viewOf(EMPTY_BYTES);

  // The batch being filled, in fields of its own.
  #slab = EMPTY_BYTES;
  #slabView = viewOf(EMPTY_BYTES);
  #length = RECORDS_AT;
  #count = 0;
  #firstTimestamp = 0;
  #maxTimestamp = 0;
  #start = 0;

  constructor(partition: TopicPartition, options: SlabAppenderOptions = {}) {
    this.#partition = partition;
    const { batchBytesMax = REQUEST_BYTES_MAX, recordBytesMax = batchBytesMax } = options;
    this.#ownBatchBytesMax = Math.min(batchBytesMax, recordBytesMax);
    this.#batchBytesMax = this.#ownBatchBytesMax;
    this.#recordBytesMax = recordBytesMax;
    this.#compressor = options.compressor ?? null;
    this.#use(Buffer.allocUnsafeSlow(Math.min(SLAB_BYTES_MIN, this.#batchBytesMax)));
    if (options.limits) this.limit(options.limits);
  }

  /** What the topic refuses is refused here from now on. Batches that are begun stay as large as they are. */
  limit(limits: TopicLimits): void {
    this.#limits = limits;
    this.#sealedBytesMax = limits.recordBytesMax;
    this.#batchBytesMax = Math.min(this.#ownBatchBytesMax, limits.batchBytesMax);
  }

  get pendingRecords(): number {
    return this.#fullRecords + this.#count;
  }

  get pendingBytes(): number {
    return this.#start + this.#length - RECORDS_AT;
  }

  append(
    timestampMs: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    headers: readonly Header[] | null,
  ): void {
    // One NaN would make the times of a whole batch unreadable.
    if (Math.floor(timestampMs) !== timestampMs || timestampMs - timestampMs !== 0)
      throw new AssertionError(
        `a record for topic ${this.#partition.topic} must have a time in whole milliseconds`,
      );
    if (this.#limits !== null) this.#checkLimits(this.#limits, timestampMs, keyStart);
    const keySize = keyStart < 0 ? -1 : keyEnd - keyStart;
    const valueSize = valueStart < 0 ? -1 : valueEnd - valueStart;
    const partsSize =
      sizeOfVarint(keySize) +
      (keySize > 0 ? keySize : 0) +
      sizeOfVarint(valueSize) +
      (valueSize > 0 ? valueSize : 0) +
      (headers === null ? 1 : sizeOfHeaders(headers));

    let count = this.#count;
    let delta = count === 0 ? 0 : timestampMs - this.#firstTimestamp;
    let bodySize = 1 + sizeOfVarlong(delta) + sizeOfVarint(count) + partsSize;
    let size = sizeOfVarint(bodySize) + bodySize;
    if (this.#length + size > this.#batchBytesMax || count >= BATCH_RECORDS_MAX) {
      const aloneSize = 3 + partsSize;
      this.#checkSize(RECORDS_AT + sizeOfVarint(aloneSize) + aloneSize);
      if (count > 0) this.#beginBatch();
      count = 0;
      delta = 0;
      bodySize = aloneSize;
      size = sizeOfVarint(bodySize) + bodySize;
    }
    if (this.#length + size > this.#slab.length) this.#grow(this.#length + size);

    const slab = this.#slab;
    let at = writeVarint(slab, this.#length, bodySize);
    slab[at++] = 0;
    at = writeVarlong(slab, at, delta);
    at = writeVarint(slab, at, count);
    at = writeVarint(slab, at, keySize);
    if (keySize > 0) {
      copyBytes(key, keyStart, keyEnd, slab, at);
      at += keySize;
    }
    at = writeVarint(slab, at, valueSize);
    if (valueSize > 0) {
      if (value !== this.#source) {
        this.#source = value;
        this.#sourceView = viewOf(value);
      }
      copyRange(value, this.#sourceView, valueStart, valueEnd, slab, this.#slabView, at);
      at += valueSize;
    }
    if (headers === null) slab[at++] = 0;
    else at = writeHeaders(slab, at, headers);

    if (count === 0) {
      if (at > this.#sealedBytesMax) this.#checkCompressed(at);
      this.#firstTimestamp = timestampMs;
      this.#maxTimestamp = timestampMs;
    } else if (timestampMs > this.#maxTimestamp) {
      this.#maxTimestamp = timestampMs;
    }
    this.#count = count + 1;
    this.#length = at;
  }

  mark(): number {
    return this.pendingBytes;
  }

  rollback(mark: number): void {
    if (mark === this.pendingBytes) return;
    if (mark < 0 || mark > this.pendingBytes) throw new RangeError(`mark ${mark} is not one of this flush`);
    while (mark < this.#start) {
      const last = this.#full.pop()!;
      this.#recycle(this.#slab);
      this.#use(last.slab);
      this.#length = last.length;
      this.#count = last.count;
      this.#firstTimestamp = last.firstTimestamp;
      this.#maxTimestamp = last.maxTimestamp;
      this.#start = last.start;
      this.#fullRecords -= last.count;
    }
    this.#truncate(RECORDS_AT + mark - this.#start);
  }

  /** Forgets the records behind `end`: walks those before it to know their count and greatest timestamp. */
  #truncate(end: number): void {
    if (end === this.#length) return;
    const slab = this.#slab;
    let count = 0;
    let maxTimestamp = this.#firstTimestamp;
    let at = RECORDS_AT;
    while (at < end) {
      let byte = slab[at++]!;
      let size = byte & 0x7f;
      for (let shift = 7; byte > 0x7f; shift += 7) {
        byte = slab[at++]!;
        size |= (byte & 0x7f) << shift;
      }
      let p = at + 1;
      let delta = 0;
      let scale = 1;
      do {
        byte = slab[p++]!;
        delta += (byte & 0x7f) * scale;
        scale *= 0x80;
      } while (byte > 0x7f);
      const timestamp = this.#firstTimestamp + (delta % 2 === 0 ? delta / 2 : -(delta + 1) / 2);
      if (timestamp > maxTimestamp) maxTimestamp = timestamp;
      at += size >>> 1;
      count++;
    }
    if (at !== end) throw new RangeError('the mark does not lie between two records');
    this.#length = end;
    this.#count = count;
    this.#maxTimestamp = maxTimestamp;
  }

  /**
   * The batches gathered so far, in order, finished: head, compression and CRC. Marks made before are void. The
   * caller owns the bytes and may hand them back with `release` when nobody reads them any more. `producer` stamps
   * the first batch, and the others with the sequence numbers that follow.
   */
  take(producer: ProducerStamp = NO_PRODUCER): SealedBatch[] {
    let { sequence } = producer;
    if (this.#count > 0) this.#full.push(this.#current());
    const slabSize = Math.min(this.#slab.length, this.#batchBytesMax);
    const sealed: SealedBatch[] = [];
    for (const open of this.#full) {
      let batch = this.#seal(open, producer, sequence);
      sequence = sequenceAfter(sequence, open.count);
      // A slab that is mostly empty would waste memory for as long as the batch lives.
      const copied = batch.bytes.buffer === open.slab.buffer && open.length < open.slab.length / 2;
      if (copied) batch = { ...batch, bytes: Buffer.copyBytesFrom(batch.bytes) };
      if (batch.bytes.buffer === open.slab.buffer) this.#lent.add(open.slab.buffer);
      else this.#recycle(open.slab);
      sealed.push(batch);
    }
    if (this.#count > 0) this.#use(this.#free.pop() ?? Buffer.allocUnsafeSlow(slabSize));
    this.#full = [];
    this.#fullRecords = 0;
    this.#start = 0;
    this.#length = RECORDS_AT;
    this.#count = 0;
    return sealed;
  }

  /** Gives a taken batch's memory back for use by later ones. Only when no reader can hold it. */
  release(batch: SealedBatch): void {
    const { buffer } = batch.bytes;
    if (this.#lent.delete(buffer)) this.#recycle(Buffer.from(buffer as ArrayBuffer));
  }

  /** A slab that was made for one large record is not kept. */
  #recycle(slab: Buffer): void {
    const { length } = slab;
    if (length > this.#batchBytesMax || length < this.#slab.length) return;
    if (this.#free.length < FREE_SLABS_MAX) this.#free.push(slab);
  }

  #use(slab: Buffer): void {
    this.#slab = slab;
    this.#slabView = viewOf(slab);
  }

  #current(): OpenBatch {
    return {
      slab: this.#slab,
      length: this.#length,
      count: this.#count,
      firstTimestamp: this.#firstTimestamp,
      maxTimestamp: this.#maxTimestamp,
      start: this.#start,
    };
  }

  #beginBatch(): void {
    this.#full.push(this.#current());
    this.#fullRecords += this.#count;
    this.#start += this.#length - RECORDS_AT;
    this.#use(this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#batchBytesMax));
    this.#length = RECORDS_AT;
    this.#count = 0;
  }

  #grow(needed: number): void {
    const size = Math.max(needed, Math.min(this.#batchBytesMax, this.#slab.length * 2));
    const grown = Buffer.allocUnsafeSlow(size);
    this.#slab.copy(grown, 0, 0, this.#length);
    this.#use(grown);
  }

  #seal(batch: OpenBatch, producer: ProducerStamp, sequence: number): SealedBatch {
    let bytes = batch.slab.subarray(0, batch.length);
    let codec = CODEC_NONE;
    const compressor = this.#compressor;
    if (compressor !== null) {
      const packed = compressor.compress(bytes.subarray(RECORDS_AT));
      // Records that do not shrink stay uncompressed, so that no batch outgrows its limit.
      if (packed.length < batch.length - RECORDS_AT) {
        bytes = Buffer.allocUnsafeSlow(RECORDS_AT + packed.length);
        packed.copy(bytes, RECORDS_AT);
        codec = compressor.codec;
      }
    }
    const head = {
      baseOffset: 0,
      attributes: codec,
      lastOffsetDelta: batch.count - 1,
      baseTimestamp: batch.firstTimestamp,
      maxTimestamp: batch.maxTimestamp,
      count: batch.count,
    };
    writeBatchHead(bytes, head, { ...producer, sequence });
    return {
      bytes,
      recordCount: batch.count,
      firstTimestamp: batch.firstTimestamp,
      maxTimestamp: batch.maxTimestamp,
    };
  }

  #checkLimits(limits: TopicLimits, timestampMs: number, keyStart: number): void {
    if (keyStart < 0 && limits.keyed)
      throw this.#refused('has no key, and the topic is compacted: its records must have one');
    if (timestampMs < limits.timestampMin || timestampMs > limits.timestampMax)
      throw this.#refused(
        `has the time ${timestampMs} ms, which is further from the broker's than it allows`,
      );
  }

  /** Throws when a record that would be a batch of `sizeBytes` by itself is too large, as far as that can be told. */
  #checkSize(sizeBytes: number): void {
    if (sizeBytes > this.#recordBytesMax)
      throw this.#tooLarge(sizeBytes, `a request may have ${this.#recordBytesMax} (max.request.size)`);
    if (this.#compressor === null && sizeBytes > this.#sealedBytesMax)
      throw this.#tooLargeForTopic(sizeBytes);
  }

  /** A record alone in its batch, which ends at `end`, is larger than the topic takes: does it shrink enough? */
  #checkCompressed(end: number): void {
    const packed = this.#compressor?.compress(this.#slab.subarray(RECORDS_AT, end));
    const sizeBytes = packed === undefined ? end : Math.min(end, RECORDS_AT + packed.length);
    if (sizeBytes > this.#sealedBytesMax) throw this.#tooLargeForTopic(sizeBytes);
  }

  #tooLargeForTopic(sizeBytes: number): LogError {
    return this.#tooLarge(sizeBytes, `the topic takes ${this.#sealedBytesMax} (max.message.bytes)`);
  }

  #tooLarge(sizeBytes: number, allowed: string): LogError {
    const { topic, partition } = this.#partition;
    return new LogError(
      'record-too-large',
      `a record for topic ${topic} is too large: it has ${sizeBytes} bytes, and ${allowed}`,
      { topic, partition },
    );
  }

  #refused(why: string): LogError {
    const { topic, partition } = this.#partition;
    return new LogError('record-refused', `a record for topic ${topic} ${why}`, { topic, partition });
  }
}

function sizeOfHeaders(headers: readonly Header[]): number {
  let size = sizeOfVarint(headers.length);
  for (const { key, value } of headers) {
    const keySize = Buffer.byteLength(key);
    size +=
      sizeOfVarint(keySize) +
      keySize +
      sizeOfVarint(value === null ? -1 : value.length) +
      (value?.length ?? 0);
  }
  return size;
}

function writeHeaders(slab: Buffer, start: number, headers: readonly Header[]): number {
  let at = writeVarint(slab, start, headers.length);
  for (const { key, value } of headers) {
    at = writeVarint(slab, at, Buffer.byteLength(key));
    at += slab.write(key, at);
    at = writeVarint(slab, at, value === null ? -1 : value.length);
    if (value === null) continue;
    slab.set(value, at);
    at += value.length;
  }
  return at;
}
