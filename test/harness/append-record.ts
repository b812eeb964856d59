import { appendRecord as appendWhole } from '../../src/log/append-record.ts';
import type { LogWriter, TopicPartition } from '../../src/log/log.ts';
import type { Header } from '../../src/log/record-batch.ts';

/** A record as tests write it. Text stands for its UTF-8 bytes. */
export interface TestRecord {
  readonly key?: string | Buffer | null;
  readonly value?: string | Buffer | null;
  readonly timestamp?: number;
  readonly headers?: readonly Header[];
}

export function appendRecord(writer: LogWriter, at: TopicPartition, record: TestRecord): void {
  const bytes = (part: string | Buffer | null | undefined): Buffer | null =>
    part === null || part === undefined ? null : Buffer.from(part);
  appendWhole(writer, at, {
    timestamp: record.timestamp ?? 1_700_000_000_000,
    key: bytes(record.key),
    value: bytes(record.value),
    headers: record.headers ?? [],
  });
}
