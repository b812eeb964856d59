import { ByteWriter } from '../src/common/bytes.ts';
import type { Log, LogWriter } from '../src/log/log.ts';
import { partitionOfKey } from '../src/log/partitioner.ts';

const FLUSH_BYTES = 16 << 20;

export interface TextRecord {
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly value: string;
}

/** Hands records of a topic to a writer, each to the partition of its key, as Kafka's clients do. */
export class TextAppender {
  readonly #writer: LogWriter;
  readonly #topic: string;
  readonly #partitions: number;
  readonly #key = new ByteWriter();
  readonly #value = new ByteWriter();

  constructor(writer: LogWriter, topic: string, partitions: number) {
    this.#writer = writer;
    this.#topic = topic;
    this.#partitions = partitions;
  }

  append(record: TextRecord): void {
    const key = this.#key;
    const value = this.#value;
    key.length = 0;
    value.length = 0;
    key.writeText(record.key);
    value.writeText(record.value);
    const partition = partitionOfKey(key.buffer, 0, key.length, this.#partitions);
    this.#writer
      .appender({ topic: this.#topic, partition })
      .append(record.timestampMs, key.buffer, 0, key.length, value.buffer, 0, value.length, null);
  }
}

/** Writes all records to a topic that is there. */
export async function writeRecords(
  log: Log,
  topic: string,
  partitions: number,
  records: Iterable<TextRecord>,
): Promise<void> {
  const writer = await log.openWriter();
  const appender = new TextAppender(writer, topic, partitions);
  for (const record of records) {
    appender.append(record);
    if (writer.pendingBytes > FLUSH_BYTES) await writer.flush();
  }
  await writer.flush();
  await writer.close();
}
