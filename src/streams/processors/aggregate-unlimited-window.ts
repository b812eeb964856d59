import type { TaskState, WindowStore } from '../../state/store.ts';
import { AggregateOperator, type AggregateOptions } from './aggregate-operator.ts';
import type { Processor } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';

/** The end of a window that never ends. */
export const UNLIMITED_END: number = Number.MAX_SAFE_INTEGER;

export interface AggregateUnlimitedWindowOptions extends AggregateOptions {
  /** A window store of states, with unlimited retention. */
  readonly store: string;
  readonly startMs: number;
}

/** One state a key, of all records from a time on; older ones belong to no window and are left out in silence. */
export function aggregateUnlimitedWindow(options: AggregateUnlimitedWindowOptions): () => Processor {
  return () => new AggregateUnlimitedWindow(options);
}

class AggregateUnlimitedWindow extends AggregateOperator<AggregateUnlimitedWindowOptions, WindowStore> {
  #windowed: RecordKey | null = null;

  prefetch(key: RecordKey, _timestamp: number, state: TaskState): void {
    const { startMs } = this.options;
    state.want(this.store, key.buffer, key.start, key.end, startMs, startMs);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const options = this.options;
    const { startMs } = options;
    if (!key.present) return this.context.skip('null-key', 'an aggregation needs a key');
    if (timestamp < startMs) return undefined;
    const store = this.store;
    const slot = store.find(key.buffer, key.start, key.end, startMs);
    const old = slot < 0 ? options.initial() : store.valueAt(slot);
    const time = slot < 0 ? timestamp : Math.max(timestamp, store.timestampAt(slot));
    const state = options.add(old, value, key, timestamp, this.context);
    store.put(key.buffer, key.start, key.end, startMs, state, time);
    const windowed = (this.#windowed ??= new RecordKey(key.serde));
    windowed.setWindowed(key, startMs, UNLIMITED_END);
    return this.changes.add(windowed, state, old, time);
  }
}
