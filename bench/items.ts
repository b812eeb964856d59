import { ByteWriter } from '../src/common/bytes.ts';
import type { Log } from '../src/log/log.ts';
import { partitionOfKey } from '../src/log/partitioner.ts';
import type { Workload } from './workload.ts';

/** Items of the orders, but one in ten: those orders find nothing to join. Older than any order. */
export function itemCount({ keys }: Pick<Workload, 'keys'>): number {
  return keys - Math.floor(keys / 10);
}

/** Creates `topic` (anew) and writes the items, partitioned as the orders are. */
export async function writeItems(log: Log, topic: string, { keys, partitions }: Workload): Promise<void> {
  await log.admin.deleteTopic(topic);
  await log.admin.createTopic({ name: topic, partitions });
  const writer = await log.openWriter();
  const key = new ByteWriter();
  const value = new ByteWriter();
  for (let item = 0; item < keys; item++) {
    if (item % 10 === 9) continue;
    key.length = 0;
    value.length = 0;
    key.writeText(`Item_${item}`);
    value.writeText(`{"name":"Name of item ${item}","price":${(item % 10_000) / 100 + 0.25}}`);
    const partition = partitionOfKey(key.buffer, 0, key.length, partitions);
    writer
      .appender({ topic, partition })
      .append(1_600_000_000_000 + item, key.buffer, 0, key.length, value.buffer, 0, value.length, null);
  }
  await writer.flush();
  await writer.close();
}
