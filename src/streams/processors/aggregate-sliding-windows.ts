import type { TaskState, WindowStore } from '../../state/store.ts';
import { AggregateOperator, type AggregateOptions } from './aggregate-operator.ts';
import type { PersistedNumber, Processor, ProcessorContext } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';

export interface AggregateSlidingWindowsOptions extends AggregateOptions {
  /** A window store of states, keyed by window start, with retention of at least 2 · difference + grace. */
  readonly store: string;
  /** A window spans [start, start + difference], both ends included. */
  readonly differenceMs: number;
  readonly graceMs: number;
  readonly emit: 'update' | 'close';
}

/**
 * Sliding windows (KIP-450): a window for each set of records of a key that lie within the difference. A record at
 * t can make three windows: its left one [t - difference, t], its right one [t + 1, t + 1 + difference] when later
 * records are there already, and the right one of the record before it. It is added to every window that spans it.
 * Records before `differenceMs` share one window that starts at 0.
 *
 * The time stored with a window is that of its latest record: from it follows whether a right window is empty.
 */
export function aggregateSlidingWindows(options: AggregateSlidingWindowsOptions): () => Processor {
  return () => new AggregateSlidingWindows(options);
}

interface Window {
  readonly start: number;
  readonly state: unknown;
  /** Time of its latest record. */
  readonly latest: number;
}

class AggregateSlidingWindows extends AggregateOperator<AggregateSlidingWindowsOptions, WindowStore> {
  #streamTime!: PersistedNumber;
  #lastCloseTime!: PersistedNumber;
  #windowed: RecordKey | null = null;

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#streamTime = context.persisted('stream-time', -1);
    this.#lastCloseTime = context.persisted('last-close-time', -1);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    const from = Math.max(0, timestamp - 2 * this.options.differenceMs);
    state.want(this.store, key.buffer, key.start, key.end, from, timestamp + 1);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const { differenceMs, graceMs } = this.options;
    const context = this.context;
    if (!key.present) return context.skip('null-key', 'an aggregation needs a key');
    if (value === null)
      return context.skip('null-value', 'an aggregation over sliding windows needs a value');
    const streamTime = this.#streamTime;
    if (timestamp > streamTime.value) streamTime.value = timestamp;
    const closeTime = streamTime.value - graceMs;
    if (timestamp + differenceMs < closeTime)
      return context.skip('late', `its windows closed at stream time ${streamTime.value}`);
    if (timestamp < differenceMs) {
      this.#processEarly(key, value, timestamp, closeTime);
      return undefined;
    }
    this.#processInTime(key, value, timestamp, closeTime);
    if (this.options.emit === 'close') this.#emitClosed(key, closeTime);
    return undefined;
  }

  /** Windows of the key that start in [from, to], latest first. A copy: they change while they are gone through. */
  #windows(key: RecordKey, from: number, to: number): Window[] {
    const windows: Window[] = [];
    this.store.fetch(key.buffer, key.start, key.end, from, to, true, (start, state, latest) => {
      windows.push({ start, state, latest });
    });
    return windows;
  }

  #processInTime(key: RecordKey, value: unknown, timestamp: number, closeTime: number): void {
    const { differenceMs } = this.options;
    const starts = new Set<number>();
    let toLeft: Window | null = null;
    let toRight: Window | null = null;
    let hasLeft = false;
    let hasRight = false;
    /** Time of the record before this one, as far as the windows tell; -1 unknown. */
    let previous = -1;
    for (const window of this.#windows(key, Math.max(0, timestamp - 2 * differenceMs), timestamp + 1)) {
      const { start, latest } = window;
      starts.add(start);
      const end = start + differenceMs;
      if (start === timestamp + 1) {
        hasRight = true;
      } else if (end > timestamp) {
        toRight ??= window;
        this.#update(key, value, timestamp, start, window.state, latest, closeTime);
      } else if (end === timestamp) {
        hasLeft = true;
        this.#update(key, value, timestamp, start, window.state, latest, closeTime);
        // Its latest record is at this record's time: all windows were made by that one.
        if (latest >= timestamp) return;
        previous = latest;
      } else {
        toLeft = window;
        previous = latest;
        break;
      }
    }
    if (previous >= 0 && !starts.has(previous + 1) && previous + 1 + differenceMs >= timestamp)
      this.#create(key, value, timestamp, previous + 1, closeTime);
    if (!hasLeft) {
      const start = timestamp - differenceMs;
      if (previous >= start && toLeft !== null)
        this.#update(key, value, timestamp, start, toLeft.state, timestamp, closeTime);
      else this.#create(key, value, timestamp, start, closeTime);
    }
    if (!hasRight && toRight !== null && toRight.latest > timestamp)
      this.#createRight(key, timestamp, toRight);
  }

  #processEarly(key: RecordKey, value: unknown, timestamp: number, closeTime: number): void {
    const starts = new Set<number>();
    let combined: Window | null = null;
    let toRight: Window | null = null;
    let hasRight = false;
    let previous = -1;
    for (const window of this.#windows(key, 0, timestamp + 1).reverse()) {
      const { start, latest } = window;
      starts.add(start);
      if (start === 0) {
        combined = window;
        if (latest < timestamp) previous = latest;
      } else if (start <= timestamp) {
        toRight = window;
        this.#update(key, value, timestamp, start, window.state, latest, closeTime);
      } else {
        hasRight = true;
      }
    }
    if (toRight === null && combined !== null && combined.latest > timestamp) toRight = combined;
    if (!hasRight && toRight !== null && toRight.latest > timestamp)
      this.#createRight(key, timestamp, toRight);
    if (previous >= 0 && !starts.has(previous + 1))
      this.#create(key, value, timestamp, previous + 1, closeTime);
    if (combined === null) this.#create(key, value, timestamp, 0, closeTime);
    else this.#update(key, value, timestamp, 0, combined.state, combined.latest, closeTime);
  }

  #create(key: RecordKey, value: unknown, timestamp: number, start: number, closeTime: number): void {
    this.#update(key, value, timestamp, start, this.options.initial(), timestamp, closeTime);
  }

  /** The window of the records after this one: what the window that spans both held before this record. */
  #createRight(key: RecordKey, timestamp: number, from: Window): void {
    const start = timestamp + 1;
    this.store.put(key.buffer, key.start, key.end, start, from.state, from.latest);
    this.#forward(key, start, from.state, null, from.latest);
  }

  #update(
    key: RecordKey,
    value: unknown,
    timestamp: number,
    start: number,
    old: unknown,
    latest: number,
    closeTime: number,
  ): void {
    const options = this.options;
    const { differenceMs } = options;
    if (start + differenceMs < closeTime)
      return this.context.skip('late', `window [${start}, ${start + differenceMs}] has closed`);
    const state = options.add(old, value, key, timestamp, this.context);
    const time = old === null ? timestamp : Math.max(timestamp, latest);
    this.store.put(key.buffer, key.start, key.end, start, state, time);
    return this.#forward(key, start, state, old, time);
  }

  #forward(key: RecordKey, start: number, state: unknown, old: unknown, timestamp: number): void {
    const { emit, differenceMs } = this.options;
    if (emit === 'close') return;
    const windowed = (this.#windowed ??= new RecordKey(key.serde));
    windowed.setWindowed(key, start, start + differenceMs);
    this.changes.add(windowed, state, old, timestamp);
  }

  /** Windows whose end lies before the close time and was not emitted yet, by time, then key. */
  #emitClosed(key: RecordKey, closeTime: number): void {
    const last = this.#lastCloseTime;
    if (closeTime <= last.value) return;
    const { differenceMs, sendOldValues } = this.options;
    const to = closeTime - differenceMs - 1;
    if (to < 0) return;
    const from = last.value < 0 ? 0 : Math.max(0, last.value - differenceMs);
    last.value = closeTime;
    const windowed = (this.#windowed ??= new RecordKey(key.serde));
    windowed.serde = key.serde;
    this.store.fetchAll(from, to, (buffer, keyStart, keyEnd, start, state, timestamp) => {
      windowed.setBytes(buffer, keyStart, keyEnd);
      windowed.windowStart = start;
      windowed.windowEnd = start + differenceMs;
      this.context.forward(windowed, state, sendOldValues ? null : undefined, timestamp);
    });
  }
}
