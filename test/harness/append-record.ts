import type { LogWriter, TopicPartition } from '../../src/log/log.ts';
import type { Header } from '../../src/log/record-batch.ts';

/** A record as tests write it. Text stands for its UTF-8 bytes. */
export interface TestRecord {
  readonly key?: string | Buffer | null;
  readonly value?: string | Buffer | null;
  readonly timestamp?: number;
  readonly headers?: readonly Header[];
}

const NOTHING = Buffer.alloc(0);

export function appendRecord(writer: LogWriter, at: TopicPartition, record: TestRecord): void {
  const bytes = (part: string | Buffer | null | undefined): Buffer | null =>
    part === null || part === undefined ? null : Buffer.from(part);
  const key = bytes(record.key);
  const value = bytes(record.value);
  writer
    .appender(at)
    .append(
      record.timestamp ?? 1_700_000_000_000,
      key ?? NOTHING,
      key === null ? -1 : 0,
      key?.length ?? -1,
      value ?? NOTHING,
      value === null ? -1 : 0,
      value?.length ?? -1,
      record.headers ?? null,
    );
}
