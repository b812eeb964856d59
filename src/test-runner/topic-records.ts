import type { Log } from '../log/log.ts';
import type { Header, RecordBatch } from '../log/record-batch.ts';
import { readHeaders } from '../log/record-batch-codec.ts';

/** A record where it lies. */
export interface TopicRecord {
  readonly batch: RecordBatch;
  readonly index: number;
}

/** Every record of a topic that is there now, by partition, then offset. */
export async function recordsOf(log: Log, topic: string): Promise<readonly TopicRecord[]> {
  const offsets = await log.admin.offsets(topic);
  const reader = log.openReader();
  const found: TopicRecord[] = [];
  try {
    offsets.forEach(({ start }, partition) => reader.assign({ topic, partition, offset: start }));
    while (offsets.some(({ end }, partition) => reader.position({ topic, partition }) < end))
      for (const batch of await reader.poll(1000))
        for (let index = batch.first; index < batch.count; index++) found.push({ batch, index });
  } finally {
    await reader.close();
  }
  return found.sort((a, b) => a.batch.partition - b.batch.partition);
}

export function keyOf({ batch, index }: TopicRecord): Buffer | null {
  const start = batch.keyStart[index]!;
  return start < 0 ? null : batch.buffer.subarray(start, batch.keyEnd[index]!);
}

export function valueOf({ batch, index }: TopicRecord): Buffer | null {
  const start = batch.valueStart[index]!;
  return start < 0 ? null : batch.buffer.subarray(start, batch.valueEnd[index]!);
}

export function timestampOf({ batch, index }: TopicRecord): number {
  return batch.timestamps[index]!;
}

export function headersOf({ batch, index }: TopicRecord): readonly Header[] {
  return readHeaders(batch, index);
}
