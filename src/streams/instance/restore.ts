import { DataError } from '../../common/error.ts';
import type { Log, TopicPartition } from '../../log/log.ts';
import type { RecordBatch } from '../../log/record-batch.ts';
import type { StateStore, TaskState } from '../../state/store.ts';

export interface RestoreRange extends TopicPartition {
  readonly store: StateStore;
  readonly from: number;
  /** Exclusive; the end of the changelog when the task was opened. */
  readonly to: number;
  /** Topics of others may hold records that cannot be read: they are not in the table either. */
  readonly skipUnreadable?: boolean;
}

/** Told how the state of tasks comes back from its changelogs; all on one thread, between polls. */
export interface RestoreListener {
  /** Before the first record of a changelog partition, of which [from, to) is to be applied. */
  started?(range: RestoreRange): void;
  /** After some of it: `position` is the next offset, `records` how many were applied since the last call. */
  progressed?(range: RestoreRange, position: number, records: number): void;
  /** `records` in all. */
  ended?(range: RestoreRange, records: number): void;
}

/**
 * Replays changelog ranges into the task's stores. It is done when the reader's position (not a record's offset)
 * has reached the end: markers and compaction leave gaps. Returns how many records were applied.
 */
export async function restoreStores(
  log: Log,
  state: TaskState,
  ranges: readonly RestoreRange[],
  listener: RestoreListener = {},
): Promise<number> {
  const open = new Map<string, RestoreRange>();
  const counts = new Map<RestoreRange, number>();
  const reader = log.openReader();
  let restored = 0;
  try {
    for (const range of ranges) {
      if (range.from >= range.to) continue;
      open.set(`${range.topic}-${range.partition}`, range);
      counts.set(range, 0);
      listener.started?.(range);
      reader.assign({ topic: range.topic, partition: range.partition, offset: range.from });
    }
    while (open.size > 0) {
      for (const batch of await reader.poll(100)) {
        const range = open.get(`${batch.topic}-${batch.partition}`);
        if (range === undefined) continue;
        const before = restored;
        for (let i = batch.first; i < batch.count; i++) {
          if (batch.offsets[i]! >= range.to || batch.keyStart[i]! < 0) continue;
          if (applyRecord(state, range, batch, i)) restored++;
        }
        counts.set(range, counts.get(range)! + restored - before);
        listener.progressed?.(range, batch.nextOffset, restored - before);
      }
      for (const [name, range] of open) {
        if (reader.position(range) < range.to) continue;
        reader.unassign(range);
        open.delete(name);
        listener.ended?.(range, counts.get(range)!);
      }
    }
  } finally {
    await reader.close();
  }
  return restored;
}

function applyRecord(state: TaskState, range: RestoreRange, batch: RecordBatch, i: number): boolean {
  const { buffer, keyStart, keyEnd, valueStart, valueEnd, timestamps } = batch;
  try {
    state.restore(
      range.store,
      buffer,
      keyStart[i]!,
      keyEnd[i]!,
      buffer,
      valueStart[i]!,
      valueEnd[i]!,
      timestamps[i]!,
    );
    return true;
  } catch (error) {
    if (range.skipUnreadable !== true || !(error instanceof DataError)) throw error;
    return false;
  }
}
