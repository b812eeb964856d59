import { EMPTY_BYTES } from '../common/bytes.ts';
import type { LogWriter, TopicPartition } from './log.ts';
import type { Header } from './record-batch.ts';

/** A record whose parts are buffers of their own: for those who write few. Null is no key, and a tombstone. */
export interface WholeRecord {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly Header[];
}

/** Gives a record to the writer, whose `flush` makes it durable. */
export function appendRecord(
  writer: LogWriter,
  at: TopicPartition,
  { timestamp, key, value, headers = [] }: WholeRecord,
): void {
  writer
    .appender(at)
    .append(
      timestamp,
      key ?? EMPTY_BYTES,
      key === null ? -1 : 0,
      key?.length ?? -1,
      value ?? EMPTY_BYTES,
      value === null ? -1 : 0,
      value?.length ?? -1,
      headers.length === 0 ? null : headers,
    );
}
