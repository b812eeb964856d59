import type { RecordBatch } from '../../log/record-batch.ts';

/** The earliest time of a record that may still come into an input. */
export type Horizon = () => number;

/** Fetched batches of one input partition of a task, and where in them the next record is. */
export class InputQueue {
  readonly topic: string;
  readonly partition: number;
  #batches: RecordBatch[] = [];
  #head = 0;
  /** The batch at the head, and the index of its next record. */
  batch: RecordBatch | null = null;
  index = 0;
  bufferedBytes = 0;
  /** The reader was told to stop until some of it is processed. */
  paused = false;
  /**
   * How far it is committed that it is processed. Behind `position` too where only offsets that hold no records lie between:
   * nobody commits for their sake.
   */
  committed: number;
  /** The offset to commit when nothing is queued: after the last record, gaps and markers included. */
  #endOffset: number;

  constructor(topic: string, partition: number, offset: number) {
    this.topic = topic;
    this.partition = partition;
    this.#endOffset = offset;
    this.committed = offset;
  }

  get isEmpty(): boolean {
    return this.batch === null;
  }

  push(batch: RecordBatch): void {
    this.bufferedBytes += batch.sizeBytes;
    this.#batches.push(batch);
    if (this.batch === null) this.#next();
  }

  /** The timestamp of the next record. Only when not empty. */
  headTimestamp(): number {
    return this.batch!.timestamps[this.index]!;
  }

  /** Steps over the next record. */
  advance(): void {
    if (++this.index >= this.batch!.count) this.#next();
  }

  /** The reader stepped over offsets that hold no records (markers, compaction). */
  skipTo(offset: number): void {
    if (offset > this.#endOffset) this.#endOffset = offset;
  }

  /** The next unprocessed offset: the head's, or the fetch position (never "last processed + 1"). */
  get position(): number {
    return this.batch === null ? this.#endOffset : this.batch.offsets[this.index]!;
  }

  #next(): void {
    const done = this.batch;
    if (done !== null) {
      this.bufferedBytes -= done.sizeBytes;
      this.batch = null;
    }
    while (this.#head < this.#batches.length) {
      const batch = this.#batches[this.#head]!;
      this.#head++;
      if (this.#head > 64) {
        this.#batches = this.#batches.slice(this.#head);
        this.#head = 0;
      }
      this.#endOffset = Math.max(this.#endOffset, batch.nextOffset);
      if (batch.first < batch.count) {
        this.batch = batch;
        this.index = batch.first;
        return;
      }
      this.bufferedBytes -= batch.sizeBytes;
    }
    this.#batches = [];
    this.#head = 0;
  }
}
