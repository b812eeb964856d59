import type { StoredBatch } from './stored-batch.ts';

/** What bounds a partition, from the settings of its topic. Infinity means no bound. */
export interface Retention {
  readonly ms: number;
  readonly bytes: number;
}

/**
 * A partition: its batches in offset order. Each offset from `start` to `next` belongs to one batch, whether a record
 * is left at it or not. Everything here is synchronous and in memory; what makes it last is
 * the journal, which is written before a batch is added.
 */
export class PartitionLog {
  readonly topicId: number;
  readonly topic: string;
  readonly partition: number;
  /** The first offset that can be read. */
  start: number;
  /** The offset of the next record. */
  next: number;
  sizeBytes = 0;
  /** The offset below which it is compacted; -1 while that is not known. */
  cleanEnd = -1;
  /** Bytes of the batches below `cleanEnd`. */
  cleanBytes = 0;
  /** Set once, when the topic is deleted. */
  deleted = false;
  /** Called when batches were added, and when the topic is deleted. */
  readonly listeners = new Set<() => void>();
  #batches: StoredBatch[] = [];
  /** Batches before this index are gone; the array is cut when they are many. */
  #head = 0;
  /** Batches before this index have a `seenMs`. */
  #seen = 0;

  constructor(topicId: number, topic: string, partition: number, start: number, next: number) {
    this.topicId = topicId;
    this.topic = topic;
    this.partition = partition;
    this.start = start;
    this.next = next;
  }

  get batchCount(): number {
    return this.#batches.length - this.#head;
  }

  /**
   * Adds a batch at the end; or, when it covers offsets that are there, puts it in the place of the batches that had
   * them: compaction, and batches that moved to another file. Returns whether it is at the end.
   */
  add(batch: StoredBatch): boolean {
    const last = this.at(this.batchCount - 1);
    const isNew = last === undefined || batch.baseOffset > last.lastOffset;
    if (isNew) this.#batches.push(batch);
    else this.#replace(batch);
    this.sizeBytes += batch.sizeBytes;
    if (batch.lastOffset < this.cleanEnd) this.cleanBytes += batch.sizeBytes;
    this.next = Math.max(this.next, batch.lastOffset + 1);
    if (batch.segment === null) return isNew;
    batch.segment.liveBatches++;
    batch.segment.liveBytes += batch.sizeBytes;
    return isNew;
  }

  /** The first batch that ends at or after `offset`, as an index for `at`; `batchCount` when there is none. */
  indexOf(offset: number): number {
    let low = this.#head;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#batches[middle]!.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low - this.#head;
  }

  at(index: number): StoredBatch | undefined {
    return this.#batches[this.#head + index];
  }

  /** Ranges of offsets between `start` and `next` that no batch has: there are none unless a file lost them. */
  *holes(): Generator<{ readonly from: number; readonly to: number }> {
    let from = this.start;
    for (let i = this.#head; i < this.#batches.length; i++) {
      const { baseOffset, lastOffset } = this.#batches[i]!;
      if (baseOffset > from) yield { from, to: baseOffset };
      from = lastOffset + 1;
    }
    if (from < this.next) yield { from, to: this.next };
  }

  /** Makes `offset` the first that can be read and drops the batches that lie below it. */
  trim(offset: number): void {
    if (offset <= this.start) return;
    this.start = offset;
    if (this.next < offset) this.next = offset;
    while (this.batchCount > 0 && this.#batches[this.#head]!.lastOffset < offset) this.#dropFirst();
  }

  /**
   * Drops the oldest batches as `retention` wants, but never the newest one for its size. A batch's age counts from
   * its newest record or from when it arrived, whichever is later: old events that are loaded today are kept as
   * long as today's.
   */
  expire(retention: Retention, nowMs: number): void {
    for (; this.#seen < this.#batches.length; this.#seen++) this.#batches[this.#seen]!.seenMs ??= nowMs;
    while (this.batchCount > 0) {
      const oldest = this.#batches[this.#head]!;
      const tooLarge = this.batchCount > 1 && this.sizeBytes - oldest.sizeBytes >= retention.bytes;
      if (!tooLarge && ageFrom(oldest, nowMs) >= nowMs - retention.ms) return;
      this.#dropFirst();
      this.start = oldest.lastOffset + 1;
    }
  }

  /** The first batch whose age is less than `lagMs`; the newest one when none is. */
  firstYounger(lagMs: number, nowMs: number): StoredBatch | undefined {
    for (let i = 0; lagMs > 0 && i < this.batchCount; i++)
      if (ageFrom(this.at(i)!, nowMs) > nowMs - lagMs) return this.at(i);
    return this.at(this.batchCount - 1);
  }

  /** Sets `cleanEnd`. */
  cleanTo(offset: number): void {
    this.cleanEnd = offset;
    this.cleanBytes = 0;
    const count = this.indexOf(offset);
    for (let i = 0; i < count; i++) this.cleanBytes += this.at(i)!.sizeBytes;
  }

  /** Drops everything: the topic is gone. */
  delete(): void {
    while (this.batchCount > 0) this.#dropFirst();
    this.deleted = true;
    this.notify();
  }

  #replace(batch: StoredBatch): void {
    const first = this.#head + this.indexOf(batch.baseOffset);
    let end = first;
    for (; end < this.#batches.length && this.#batches[end]!.baseOffset <= batch.lastOffset; end++) {
      const { seenMs } = this.#batches[end]!;
      if (seenMs !== undefined) batch.seenMs = Math.max(seenMs, batch.seenMs ?? seenMs);
    }
    for (const replaced of this.#batches.splice(first, end - first, batch)) this.#release(replaced);
    this.#seen = Math.min(this.#seen, first);
  }

  notify(): void {
    for (const listener of this.listeners) listener();
  }

  #dropFirst(): void {
    this.#release(this.#batches[this.#head]!);
    this.#head++;
    if (this.#head < 1024 || this.#head < this.#batches.length / 2) return;
    this.#batches = this.#batches.slice(this.#head);
    this.#seen = Math.max(0, this.#seen - this.#head);
    this.#head = 0;
  }

  #release(batch: StoredBatch): void {
    this.sizeBytes -= batch.sizeBytes;
    if (batch.lastOffset < this.cleanEnd) this.cleanBytes -= batch.sizeBytes;
    batch.bytes = null;
    if (batch.segment === null) return;
    batch.segment.liveBatches--;
    batch.segment.liveBytes -= batch.sizeBytes;
  }
}

/** What the age of a batch counts from: see `expire`. */
function ageFrom(batch: StoredBatch, nowMs: number): number {
  return Math.max(batch.maxTimestamp, batch.seenMs ?? nowMs);
}
