import type { Header } from './record-batch.ts';

/** Where records bound for one partition are encoded, straight into the batch that will be sent. */
export interface RecordAppender {
  /**
   * Adds a record: bytes are copied, nothing is kept. `keyStart` or `valueStart` below 0 means null.
   * A record larger than a batch may be throws `LogError` `record-too-large` and adds nothing.
   */
  append(
    timestampMs: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    headers: readonly Header[] | null,
  ): void;
  /** Records gathered and not yet handed to a flush. */
  readonly pendingRecords: number;
  /** Bytes gathered and not yet handed to a flush. */
  readonly pendingBytes: number;
  /**
   * A point to come back to: `rollback(mark())` forgets every record appended in between. Marks are only valid
   * until the next flush.
   */
  mark(): number;
  rollback(mark: number): void;
}
