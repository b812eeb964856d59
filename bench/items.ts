import type { Log } from '../src/log/log.ts';
import type { Workload } from './workload.ts';
import { type TextRecord, writeRecords } from './write-records.ts';

/** Items of the orders, but one in ten: those orders find nothing to join. Older than any order. */
export function itemCount({ keys }: Pick<Workload, 'keys'>): number {
  return keys - Math.floor(keys / 10);
}

/** Creates `topic` (anew) and writes the items, partitioned as the orders are. */
export async function writeItems(log: Log, topic: string, { keys, partitions }: Workload): Promise<void> {
  await log.admin.deleteTopic(topic);
  await log.admin.createTopic({ name: topic, partitions });
  await writeRecords(log, topic, partitions, items(keys));
}

function* items(keys: number): Generator<TextRecord> {
  for (let item = 0; item < keys; item++) {
    if (item % 10 === 9) continue;
    const value = `{"name":"Name of item ${item}","price":${(item % 10_000) / 100 + 0.25}}`;
    yield { key: `Item_${item}`, timestampMs: 1_600_000_000_000 + item, value };
  }
}
