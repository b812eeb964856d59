import type { Log, TopicPartition } from '../../log/log.ts';
import type { StateStore, TaskState } from '../../state/store.ts';

export interface RestoreRange extends TopicPartition {
  readonly store: StateStore;
  readonly from: number;
  /** Exclusive; the end of the changelog when the task was opened. */
  readonly to: number;
}

/**
 * Replays changelog ranges into the task's stores. It is done when the reader's position (not a record's offset)
 * has reached the end: markers and compaction leave gaps. Returns how many records were applied.
 */
export async function restoreStores(
  log: Log,
  state: TaskState,
  ranges: readonly RestoreRange[],
): Promise<number> {
  const open = new Map<string, RestoreRange>();
  const reader = log.openReader();
  let restored = 0;
  try {
    for (const range of ranges) {
      if (range.from >= range.to) continue;
      open.set(`${range.topic}-${range.partition}`, range);
      reader.assign({ topic: range.topic, partition: range.partition, offset: range.from });
    }
    while (open.size > 0) {
      for (const batch of await reader.poll(100)) {
        const range = open.get(`${batch.topic}-${batch.partition}`);
        if (range === undefined) continue;
        for (let i = batch.first; i < batch.count; i++) {
          if (batch.offsets[i]! >= range.to || batch.keyStart[i]! < 0) continue;
          state.restore(
            range.store,
            batch.buffer,
            batch.keyStart[i]!,
            batch.keyEnd[i]!,
            batch.buffer,
            batch.valueStart[i]!,
            batch.valueEnd[i]!,
            batch.timestamps[i]!,
          );
          restored++;
        }
      }
      for (const [name, range] of open) {
        if (reader.position(range) < range.to) continue;
        reader.unassign(range);
        open.delete(name);
      }
    }
  } finally {
    await reader.close();
  }
  return restored;
}
