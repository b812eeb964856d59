import { must } from '../common/assert.ts';
import type { Log } from '../log/log.ts';

/** Goes through what partition 0 of a topic holds now; keys and values are the caller's. */
export async function readRecords(
  log: Log,
  topic: string,
  each: (offset: number, key: Buffer | null, value: Buffer | null) => void,
): Promise<void> {
  const { start, end } = must((await log.admin.offsets(topic))[0]);
  const reader = log.openReader();
  const partition = { topic, partition: 0 };
  try {
    reader.assign({ ...partition, offset: start });
    while (reader.position(partition) < end) {
      for (const { buffer, first, count, offsets, ...at } of await reader.poll(200)) {
        const part = (from: number, to: number): Buffer | null =>
          from < 0 ? null : Buffer.from(buffer.subarray(from, to));
        for (let i = first; i < count; i++)
          each(offsets[i]!, part(at.keyStart[i]!, at.keyEnd[i]!), part(at.valueStart[i]!, at.valueEnd[i]!));
      }
    }
  } finally {
    await reader.close();
  }
}
