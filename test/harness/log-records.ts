import type { Log, ProducerOptions } from '../../src/log/log.ts';
import type { Header } from '../../src/log/record-batch.ts';
import { partitionOfKey } from '../../src/log/partitioner.ts';

/** A record of text. */
export interface TextRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp?: number;
  readonly partition?: number;
  readonly headers?: readonly Header[];
}

const NOTHING = Buffer.alloc(0);

/** Writes records, each to the partition of its key, and waits until they are in the log. */
export async function produce(
  log: Log,
  topic: string,
  records: readonly TextRecord[],
  options: ProducerOptions = {},
): Promise<void> {
  const partitions = (await log.admin.describeTopic(topic))!.partitions;
  const writer = await log.openWriter(options);
  for (const record of records) {
    const key = record.key === null ? null : Buffer.from(record.key);
    const value = record.value === null ? null : Buffer.from(record.value);
    const partition = record.partition ?? (key === null ? 0 : partitionOfKey(key, 0, key.length, partitions));
    writer
      .appender({ topic, partition })
      .append(
        record.timestamp ?? 0,
        key ?? NOTHING,
        key === null ? -1 : 0,
        key?.length ?? -1,
        value ?? NOTHING,
        value === null ? -1 : 0,
        value?.length ?? -1,
        record.headers ?? null,
      );
  }
  await writer.flush();
  await writer.close();
}

/** Every record of a topic, by partition, then offset. */
export async function readAll(
  log: Log,
  topic: string,
): Promise<{ partition: number; key: string | null; value: string | null; timestamp: number }[]> {
  const offsets = await log.admin.offsets(topic);
  const reader = log.openReader();
  const found: { partition: number; key: string | null; value: string | null; timestamp: number }[] = [];
  offsets.forEach(({ start }, partition) => reader.assign({ topic, partition, offset: start }));
  while (offsets.some(({ end }, partition) => reader.position({ topic, partition }) < end))
    for (const batch of await reader.poll(1000))
      for (let i = batch.first; i < batch.count; i++) {
        const text = (start: number, end: number): string | null =>
          start < 0 ? null : batch.buffer.toString('utf8', start, end);
        found.push({
          partition: batch.partition,
          key: text(batch.keyStart[i]!, batch.keyEnd[i]!),
          value: text(batch.valueStart[i]!, batch.valueEnd[i]!),
          timestamp: batch.timestamps[i]!,
        });
      }
  await reader.close();
  return found.sort((a, b) => a.partition - b.partition);
}
