import { type Clock, nextTurn } from '../../common/clock.ts';
import { DataError } from '../../common/error.ts';
import { type Log, LogError, type LogReader, type TopicPartition } from '../../log/log.ts';
import type { RecordBatch } from '../../log/record-batch.ts';
import type { StateStore, TaskState } from '../../state/store.ts';
import type { Restoration } from './restoration.ts';

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

/** What the stores of one task lack. */
export interface TaskRanges {
  readonly state: TaskState;
  readonly ranges: readonly RestoreRange[];
}

export interface RestoreOptions {
  readonly clock: Clock;
  readonly listener: RestoreListener;
  readonly restoration: Restoration;
  /** Ends it before it is done. */
  readonly signal: AbortSignal;
}

/** Longest synchronous stretch, as of a turn that processes. */
const TURN_MS = 10;
/** After how many records the clock is looked at. */
const RECORDS_PER_LOOK = 128;

/**
 * Replays changelog ranges into the stores of tasks, side by side. A range is done when the reader's position (not a record's
 * offset) has reached the end: markers and compaction leave gaps. Returns how many records were applied, by task. Rejects with
 * `LogError` `closed` when it was ended.
 */
export async function restoreStores(
  log: Log,
  tasks: readonly TaskRanges[],
  options: RestoreOptions,
): Promise<readonly number[]> {
  const { restoration, signal } = options;
  const counts = tasks.map(() => 0);
  let left = tasks.flatMap(({ state, ranges }, task) =>
    ranges.filter(({ from, to }) => from < to).map((range) => ({ task, state, range, records: 0 })),
  );
  if (left.length === 0) return counts;
  restoration.began();
  const reader = log.openReader();
  try {
    while (left.length > 0) {
      // A reader has one position in a partition, and tables of several tasks may come from the same.
      const open = new Map<string, Restoring>();
      const later: Restoring[] = [];
      for (const each of left) {
        const name = `${each.range.topic}-${each.range.partition}`;
        if (open.has(name)) later.push(each);
        else open.set(name, each);
      }
      await restoreSideBySide(reader, open, options);
      for (const { task, records } of open.values()) counts[task]! += records;
      left = later;
    }
  } finally {
    await reader.close();
  }
  if (signal.aborted) throw ended();
  restoration.ended();
  return counts;
}

interface Restoring {
  readonly task: number;
  readonly state: TaskState;
  readonly range: RestoreRange;
  /** How many were applied. */
  records: number;
}

/** `all` is by `topic-partition`. */
async function restoreSideBySide(
  reader: LogReader,
  all: ReadonlyMap<string, Restoring>,
  { clock, listener, restoration, signal }: RestoreOptions,
): Promise<void> {
  const open = new Map(all);
  for (const { range } of open.values()) {
    listener.started?.(range);
    reader.assign({ topic: range.topic, partition: range.partition, offset: range.from });
  }
  let turnEndMs = clock.monotonic() + TURN_MS;
  const breathe = async (): Promise<void> => {
    await nextTurn();
    turnEndMs = clock.monotonic() + TURN_MS;
    if (signal.aborted) throw ended();
  };
  while (open.size > 0) {
    if (signal.aborted) throw ended();
    for (const batch of await reader.poll(100)) {
      const each = open.get(`${batch.topic}-${batch.partition}`);
      if (each === undefined) continue;
      const { range, state } = each;
      let records = 0;
      let bytes = 0;
      for (let i = batch.first; i < batch.count;) {
        const end = Math.min(batch.count, i + RECORDS_PER_LOOK);
        for (; i < end; i++) {
          if (batch.offsets[i]! >= range.to || batch.keyStart[i]! < 0) continue;
          if (!applyRecord(state, range, batch, i)) continue;
          records++;
          bytes += batch.keyEnd[i]! - batch.keyStart[i]! + batch.valueEnd[i]! - batch.valueStart[i]!;
        }
        if (clock.monotonic() >= turnEndMs) await breathe();
      }
      each.records += records;
      restoration.advanced(range, batch.nextOffset, records, bytes);
      listener.progressed?.(range, batch.nextOffset, records);
    }
    for (const [name, { range, records }] of open) {
      const position = reader.position(range);
      if (position < range.to) continue;
      reader.unassign(range);
      open.delete(name);
      restoration.advanced(range, position, 0, 0);
      listener.ended?.(range, records);
    }
  }
}

function ended(): LogError {
  return new LogError('closed', 'the application was closed, or released, while its state was restored');
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
