import type { TaskState, WindowStore } from '../../state/store.ts';
import { AggregateOperator, type AggregateOptions } from './aggregate-operator.ts';
import type { PersistedNumber, Processor, ProcessorContext } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';

export interface AggregateCustomWindowsOptions extends AggregateOptions {
  /** A window store of states, keyed by window start, with retention of at least the longest window + grace. */
  readonly store: string;
  readonly windowsFor: (timestamp: number) => readonly { readonly start: number; readonly end: number }[];
  readonly graceMs: number;
}

/** As `aggregateTimeWindows` with a change for each record, where a function says which windows there are. */
export function aggregateCustomWindows(options: AggregateCustomWindowsOptions): () => Processor {
  return () => new AggregateCustomWindows(options);
}

class AggregateCustomWindows extends AggregateOperator<AggregateCustomWindowsOptions, WindowStore> {
  #streamTime!: PersistedNumber;
  #windowed: RecordKey | null = null;

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#streamTime = context.persisted('stream-time', -1);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    if (timestamp < 0) return;
    for (const { start } of this.options.windowsFor(timestamp))
      state.want(this.store, key.buffer, key.start, key.end, start, start);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const options = this.options;
    const { windowsFor, graceMs } = options;
    const context = this.context;
    if (!key.present) return context.skip('null-key', 'an aggregation needs a key');
    const store = this.store;
    const streamTime = this.#streamTime;
    if (timestamp > streamTime.value) streamTime.value = timestamp;
    const closeTime = streamTime.value - graceMs;
    const windowed = (this.#windowed ??= new RecordKey(key.serde));
    for (const { start, end } of windowsFor(timestamp)) {
      if (end <= closeTime) {
        context.skip('late', `window [${start}, ${end}) closed at stream time ${streamTime.value}`);
        continue;
      }
      const slot = store.find(key.buffer, key.start, key.end, start);
      const old = slot < 0 ? options.initial() : store.valueAt(slot);
      const time = slot < 0 ? timestamp : Math.max(timestamp, store.timestampAt(slot));
      const state = options.add(old, value, key, timestamp, context);
      store.put(key.buffer, key.start, key.end, start, state, time);
      windowed.setWindowed(key, start, end);
      this.changes.add(windowed, state, old, time);
    }
    return undefined;
  }
}
