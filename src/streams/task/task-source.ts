import type { RecordBatch } from '../../log/record-batch.ts';
import type { PersistedNumber, SkipReason } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';
import type { SourceNode, TimestampExtractor } from '../topology/topology.ts';
import { readWindowedKey, windowBytes } from '../topology/windowed-key.ts';
import type { InputQueue } from './input-queue.ts';
import type { NodeContext } from './node-context.ts';
import { valueFreeExtractors, wallClockTimestamp } from './timestamp-extractors.ts';
import type { Horizon } from './input-queue.ts';

/** A source's next record, as far as it was read before it is processed. */
export interface SourceHead {
  /** Its time was asked for. */
  known: boolean;
  timestamp: number;
  value: unknown;
  /** Why it could not be read. */
  failure: SkipReason | null;
  error: unknown;
}

/** One input partition of a task, with the source node that reads it. */
export class TaskSource {
  readonly node: SourceNode;
  readonly children: readonly NodeContext[];
  readonly queue: InputQueue;
  readonly key: RecordKey;
  /** The greatest timestamp of the partition so far; -1 before the first. */
  readonly time: PersistedNumber;
  /** Only for an input that this process writes to. */
  horizon: Horizon | null = null;
  readonly extractor: TimestampExtractor;
  /** The time is the record's own as long as that is not negative. */
  readonly recordTime: boolean;
  readonly head: SourceHead = {
    known: false,
    timestamp: -1,
    value: null,
    failure: null,
    error: null,
  };

  constructor(
    node: SourceNode,
    children: readonly NodeContext[],
    queue: InputQueue,
    extractor: TimestampExtractor,
    time: PersistedNumber,
  ) {
    this.extractor = extractor;
    this.time = time;
    this.recordTime = valueFreeExtractors.has(extractor) && extractor !== wallClockTimestamp;
    this.node = node;
    this.children = children;
    this.queue = queue;
    this.key = new RecordKey(node.key);
  }

  /** Steps over the next record. */
  advance(): void {
    const { head } = this;
    if (head.known) {
      head.known = false;
      head.failure = null;
      head.error = null;
      head.value = null;
    }
    this.queue.advance();
  }

  setKey(batch: RecordBatch, i: number): void {
    const start = batch.keyStart[i]!;
    const end = batch.keyEnd[i]!;
    const { window } = this.node;
    if (window === undefined || start < 0) return this.key.setBytes(batch.buffer, start, end);
    if (end - start < windowBytes(window)) return this.key.setBytes(batch.buffer, -1, -1);
    return readWindowedKey(batch.buffer, start, end, window, this.key);
  }
}
