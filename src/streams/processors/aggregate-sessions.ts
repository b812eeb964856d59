import type { SessionStore, TaskState } from '../../state/store.ts';
import { AggregateOperator, type AggregateOptions } from './aggregate-operator.ts';
import type { PersistedNumber, Processor, ProcessorContext } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';

export interface AggregateSessionsOptions extends AggregateOptions {
  /** A session store of states with retention of at least gap + grace. */
  readonly store: string;
  readonly gapMs: number;
  readonly graceMs: number;
  merge(key: RecordKey, left: unknown, right: unknown): unknown;
  readonly emit: 'update' | 'close';
  readonly skipNullValues: boolean;
  /** How long a session can still grow, where the store keeps it for longer, until it was emitted. */
  readonly growMs: number;
}

/**
 * Sessions [first, last], both inclusive: records of a key that lie no further apart than the gap. A record joins
 * every session it touches into one: each of those is removed, and its removal forwarded, before the new one. It
 * is late when the session it would make ended before stream time - grace - gap. A result's time is its end.
 */
export function aggregateSessions(options: AggregateSessionsOptions): () => Processor {
  return () => new AggregateSessions(options);
}

interface Session {
  readonly start: number;
  readonly end: number;
  readonly state: unknown;
}

class AggregateSessions extends AggregateOperator<AggregateSessionsOptions, SessionStore> {
  #streamTime!: PersistedNumber;
  #lastCloseTime!: PersistedNumber;
  #windowed: RecordKey | null = null;

  override init(context: ProcessorContext): void {
    super.init(context);
    this.#streamTime = context.persisted('stream-time', -1);
    this.#lastCloseTime = context.persisted('last-close-time', -1);
  }

  prefetch(key: RecordKey, timestamp: number, state: TaskState): void {
    const { gapMs } = this.options;
    state.want(this.store, key.buffer, key.start, key.end, timestamp - gapMs, timestamp + gapMs);
  }

  process(key: RecordKey, value: unknown, _old: unknown, timestamp: number): void {
    const options = this.options;
    const context = this.context;
    if (!key.present) return context.skip('null-key', 'an aggregation needs a key');
    if (value === null && options.skipNullValues)
      return context.skip('null-value', 'an aggregation needs a value');
    const { gapMs } = options;
    const streamTime = this.#streamTime;
    if (timestamp > streamTime.value) streamTime.value = timestamp;
    const closeTime = streamTime.value - options.graceMs - gapMs;
    // First, because what this record puts may end the retention of what has closed.
    if (options.emit === 'close') this.#emitClosed(key, closeTime);
    const growsFrom = this.store.observedTime - options.growMs + 1;

    const merged: Session[] = [];
    let start = timestamp;
    let end = timestamp;
    let state = options.initial();
    this.store.fetch(
      key.buffer,
      key.start,
      key.end,
      timestamp - gapMs,
      timestamp + gapMs,
      (from, to, found) => {
        if (to < growsFrom) return;
        merged.push({ start: from, end: to, state: found });
        state = options.merge(key, state, found);
        start = Math.min(start, from);
        end = Math.max(end, to);
      },
    );
    if (end < closeTime)
      return context.skip('late', `session [${start}, ${end}] closed at stream time ${streamTime.value}`);

    for (const session of merged) {
      if (merged.length === 1 && session.start === timestamp && session.end === timestamp) continue;
      this.store.put(key.buffer, key.start, key.end, session.start, session.end, null, session.end);
      this.#forward(key, session.start, session.end, null, session.state);
    }
    state = options.add(state, value, key, timestamp, context);
    this.store.put(key.buffer, key.start, key.end, start, end, state, end);
    this.#forward(key, start, end, state, null);
    return undefined;
  }

  #forward(key: RecordKey, start: number, end: number, state: unknown, old: unknown): void {
    if (this.options.emit === 'close') return;
    const windowed = (this.#windowed ??= new RecordKey(key.serde));
    windowed.setWindowed(key, start, end);
    this.changes.add(windowed, state, old, end);
  }

  /** Sessions whose end lies before the close time and was not emitted yet, by end, then start, then key. */
  #emitClosed(key: RecordKey, closeTime: number): void {
    const last = this.#lastCloseTime;
    if (closeTime <= last.value) return;
    const from = Math.max(0, last.value);
    last.value = closeTime;
    if (closeTime - 1 < from) return;
    const windowed = (this.#windowed ??= new RecordKey(key.serde));
    const closed: {
      readonly key: Buffer;
      readonly start: number;
      readonly end: number;
      readonly state: unknown;
    }[] = [];
    this.store.fetchAll(from, closeTime - 1, (buffer, keyStart, keyEnd, start, end, state) => {
      closed.push({ key: Buffer.from(buffer.subarray(keyStart, keyEnd)), start, end, state });
    });
    // The store gives them by end, then key.
    closed.sort((a, b) => a.end - b.end || a.start - b.start);
    for (const { key: bytes, start, end, state } of closed) {
      windowed.setBytes(bytes, 0, bytes.length);
      windowed.windowStart = start;
      windowed.windowEnd = end;
      this.context.forward(windowed, state, this.options.sendOldValues ? null : undefined, end);
    }
  }
}
