import { MISS } from '../../state/store.ts';

/** A partition of a store as the rest of the program has it, beside the task that writes it. */
export interface StorePartition<View> {
  readonly view: View;
  /** Brings what a read missed into memory; the task processes nothing meanwhile. */
  load(): Promise<void>;
  /** Throws `StoreQueryError` when it cannot be read any more: it was closed, or given away. */
  check(): void;
}

/**
 * What `read` finds in a partition, read as often as something of it must be loaded first. `read` waits for nothing, and
 * gives what it found in this round.
 */
export async function readThrough<View, Found>(
  partition: StorePartition<View>,
  read: (view: View) => Found,
): Promise<Found> {
  for (;;) {
    partition.check();
    try {
      return read(partition.view);
    } catch (error) {
      if (error !== MISS) throw error;
    }
    await partition.load();
  }
}
