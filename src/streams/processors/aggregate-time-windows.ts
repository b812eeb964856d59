import type { TaskState, WindowStore } from '../../state/store.ts';
import type { ChangedRows } from './held-keys.ts';
import { AggregateOperator, type AggregateOptions } from './aggregate-operator.ts';
import type { PersistedNumber, Processor, ProcessorContext } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';

export interface AggregateTimeWindowsOptions extends AggregateOptions {
  /** A window store of states, keyed by window start, with retention of at least size + grace. */
  readonly store: string;
  readonly sizeMs: number;
  /** Equal to `sizeMs` for tumbling windows. */
  readonly advanceMs: number;
  readonly graceMs: number;
  /** `update`: a change for each record; `close`: one result a window, when it has closed. */
  readonly emit: 'update' | 'close';
  /** Whether records without a value are dropped (SQL) or handed to `add` (Kafka Streams). */
  readonly skipNullValues: boolean;
  /**
   * Emits what a record closes before the record is put. Kafka Streams puts first (the default): then a window whose
   * retention ends with its grace period may be gone from the store before its result is told.
   */
  readonly emitFirst?: boolean;
}

/** Of how many windows a record is part before they are read as a range. */
const POINTS_MAX = 16;

/**
 * One state a key and window; windows are [start, start + size), aligned to the epoch. A record takes part in each
 * of its windows that has not closed: end > stream time - grace, where stream time is the greatest timestamp that
 * this operator has seen. Results carry a windowed key and the greatest timestamp among their records.
 */
export function aggregateTimeWindows(options: AggregateTimeWindowsOptions): () => Processor {
  return () => new AggregateTimeWindows(options);
}

class AggregateTimeWindows extends AggregateOperator<AggregateTimeWindowsOptions, WindowStore> {
  #streamTime!: PersistedNumber;
  #lastCloseTime!: PersistedNumber;
  #windowed: RecordKey | null = null;

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#streamTime = context.persisted('stream-time', -1);
    this.#lastCloseTime = context.persisted('last-close-time', -1);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    const { buffer, start, end } = key;
    const { advanceMs } = this.options;
    const first = this.#firstWindow(timestamp);
    // One window costs its share of a batched read, a range of times an iterator of its own.
    if (timestamp - first < POINTS_MAX * advanceMs)
      for (let at = first; at <= timestamp; at += advanceMs)
        state.want(this.store, buffer, start, end, at, at);
    else state.want(this.store, buffer, start, end, first, timestamp);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const options = this.options;
    const context = this.context;
    if (!key.present) return context.skip('null-key', 'an aggregation needs a key');
    if (value === null && options.skipNullValues)
      return context.skip('null-value', 'an aggregation needs a value');
    const { sizeMs, advanceMs } = options;
    const store = this.store;
    const streamTime = this.#streamTime;
    if (timestamp > streamTime.value) streamTime.value = timestamp;
    const closeTime = streamTime.value - options.graceMs;
    if (options.emit === 'close' && options.emitFirst === true) this.#emitClosed(key, closeTime);
    const buffer = key.buffer;
    const keyStart = key.start;
    const keyEnd = key.end;
    const windowed = (this.#windowed ??= new RecordKey(key.serde));
    let teller: ProcessorContext | null = context;
    for (let start = this.#firstWindow(timestamp); start <= timestamp; start += advanceMs) {
      const end = start + sizeMs;
      if (end <= closeTime) {
        context.skip('late', `window [${start}, ${end}) closed at stream time ${streamTime.value}`);
        continue;
      }
      const slot = store.find(buffer, keyStart, keyEnd, start);
      const old = slot < 0 ? options.initial() : store.valueAt(slot);
      const time = slot < 0 ? timestamp : Math.max(timestamp, store.timestampAt(slot));
      const state = options.add(old, value, key, timestamp, teller);
      teller = null;
      const row = store.put(buffer, keyStart, keyEnd, start, state, time);
      if (options.emit === 'close') continue;
      windowed.setWindowed(key, start, end);
      this.changes.add(windowed, state, old, time, row);
    }
    if (options.emit === 'close' && options.emitFirst !== true) this.#emitClosed(key, closeTime);
    return undefined;
  }

  protected override changedRows(): ChangedRows {
    const { sizeMs } = this.options;
    const { store } = this;
    return {
      readKey(slot, key) {
        store.readKey(slot, key);
        key.windowStart = store.windowStartAt(slot);
        key.windowEnd = key.windowStart + sizeMs;
      },
      generationAt: (slot) => store.generationAt(slot),
    };
  }

  #firstWindow(timestamp: number): number {
    const { sizeMs, advanceMs } = this.options;
    return Math.floor(Math.max(0, timestamp - sizeMs + advanceMs) / advanceMs) * advanceMs;
  }

  /** Windows whose end lies in (last close time, close time], by time, then key. */
  #emitClosed(key: RecordKey, closeTime: number): void {
    const last = this.#lastCloseTime;
    if (closeTime <= last.value) return;
    const { sizeMs, advanceMs } = this.options;
    const from = last.value < 0 ? 0 : Math.max(0, last.value - sizeMs + 1);
    const to = closeTime - sizeMs;
    last.value = closeTime;
    if (to < 0 || Math.floor(to / advanceMs) * advanceMs < from) return;
    const windowed = (this.#windowed ??= new RecordKey(key.serde));
    this.store.fetchAll(from, to, (buffer, start, end, windowStart, state, timestamp) => {
      windowed.setBytes(buffer, start, end);
      windowed.windowStart = windowStart;
      windowed.windowEnd = windowStart + sizeMs;
      this.context.forward(windowed, state, this.options.sendOldValues ? null : undefined, timestamp);
    });
  }
}
