import { viewOf } from '../../formats/view-of.ts';
import { KeyTable } from '../../state/key-table.ts';
import { SlotTurns } from '../../state/slot-turns.ts';
import type { Header } from '../../log/record-batch.ts';
import type { ProcessorContext } from '../topology/processor.ts';
import { RecordKey } from '../topology/record-key.ts';
import { withHeaders } from './with-headers.ts';

/** How an aggregate tells the changes of its table. */
export interface ChangeOptions {
  /** True: changes carry the value before, else undefined in its place. */
  readonly sendOldValues: boolean;
  /** True: one change a key and commit, from the value before the first to the value after the last. */
  readonly coalesce: boolean;
}

export interface Changes {
  /** `old`: what the key (with its window) had before, null for nothing. The key may be borrowed. */
  add(key: RecordKey, value: unknown, old: unknown, timestamp: number): void;
  /** Forwards what was held back. For a processor's own `flush`. */
  flush(): void;
}

export function openChanges(context: ProcessorContext, options: ChangeOptions): Changes {
  return options.coalesce
    ? new CoalescedChanges(context, options.sendOldValues)
    : new ForwardedChanges(context, options.sendOldValues);
}

class ForwardedChanges implements Changes {
  readonly #context: ProcessorContext;
  readonly #sendOldValues: boolean;

  constructor(context: ProcessorContext, sendOldValues: boolean) {
    this.#context = context;
    this.#sendOldValues = sendOldValues;
  }

  add(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    return this.#context.forward(key, value, this.#sendOldValues ? old : undefined, timestamp);
  }

  flush(): void {}
}

/** Changes that are held back at most; more ask for a commit. */
const CHANGES_MAX = 200_000;

/** What is held back, by slot. */
interface Held {
  /** Keys, with the window's bounds behind them; slots are dense. */
  readonly keys: KeyTable;
  readonly turns: SlotTurns;
  values: unknown[];
  olds: unknown[];
  timestamps: number[];
  /** Of the last change; null while no record had any. */
  headers: (readonly Header[] | undefined)[] | null;
}

function nothingHeld(): Held {
  return {
    keys: new KeyTable(),
    turns: new SlotTurns(),
    values: [],
    olds: [],
    timestamps: [],
    headers: null,
  };
}

function emptied(held: Held): Held {
  held.keys.clear();
  held.turns.clear();
  held.values = [];
  held.olds = [];
  held.timestamps = [];
  held.headers = null;
  return held;
}

/**
 * Changes held back until the commit: one a key, from the value before its first change to the value after its last, with
 * the headers of the last, in the order of the last. None for a key that had nothing before and has nothing after: a
 * session that grew into another. What Kafka Streams' record cache does to output, as a choice of its own.
 */
class CoalescedChanges implements Changes {
  readonly #context: ProcessorContext;
  readonly #sendOldValues: boolean;
  #held: Held = nothingHeld();
  /** What was emptied last: its tables are as large as they will be needed. */
  #spare: Held | null = null;
  #key: RecordKey | null = null;
  #scratch = Buffer.allocUnsafeSlow(256);
  #scratchView = viewOf(this.#scratch);

  constructor(context: ProcessorContext, sendOldValues: boolean) {
    this.#context = context;
    this.#sendOldValues = sendOldValues;
  }

  add(key: RecordKey, value: unknown, old: unknown, timestamp: number): void {
    this.#key ??= new RecordKey(key.serde);
    const held = this.#held;
    const { keys } = held;
    const size = key.end - key.start + SUFFIX_BYTES;
    const scratch = this.#withWindow(key, size - SUFFIX_BYTES);
    let slot = keys.find(scratch, 0, size);
    if (slot < 0) {
      slot = keys.insert(scratch, 0, size);
      // Where none are sent, what is asked of an old value is only whether there was one.
      held.olds[slot] = this.#sendOldValues || old === null ? old : undefined;
      if (slot >= CHANGES_MAX) this.#context.requestCommit();
    }
    held.values[slot] = value;
    held.timestamps[slot] = timestamp;
    held.turns.touch(slot);
    const headers = this.#context.record.headers();
    if (headers.length > 0) (held.headers ??= [])[slot] = headers;
    else if (held.headers !== null) held.headers[slot] = undefined;
  }

  flush(): void {
    const held = this.#held;
    if (held.values.length === 0) return;
    // What is forwarded may come back here: it belongs to the next flush.
    this.#held = this.#spare ?? nothingHeld();
    this.#spare = null;
    try {
      const { turns } = held;
      for (let turn = 0; turn < turns.length; turn++) {
        const slot = turns.at(turn);
        if (slot >= 0) this.#forward(held, slot);
      }
    } catch (error) {
      // A child's state must be loaded first: all of it is undone and flushed again.
      this.#held = held;
      throw error;
    }
    this.#spare = emptied(held);
  }

  #forward({ keys, values, olds, timestamps, headers }: Held, slot: number): void {
    if (values[slot] === null && olds[slot] === null) return;
    const key = this.#key!;
    const buffer = keys.slabOf(slot);
    const end = keys.endOf(slot) - SUFFIX_BYTES;
    key.setBytes(buffer, keys.startOf(slot), end);
    key.windowStart = buffer.readDoubleLE(end);
    key.windowEnd = buffer.readDoubleLE(end + 8);
    const old = this.#sendOldValues ? olds[slot] : undefined;
    const own = headers?.[slot];
    if (own === undefined) this.#context.forward(key, values[slot], old, timestamps[slot]!);
    else this.#forwardWith(own, values[slot], old, timestamps[slot]!);
  }

  /** Apart from what most rows take, in which a closure would cost each an object. */
  #forwardWith(headers: readonly Header[], value: unknown, old: unknown, timestamp: number): void {
    withHeaders(this.#context.record, headers, () =>
      this.#context.forward(this.#key!, value, old, timestamp),
    );
  }

  #withWindow(key: RecordKey, size: number): Buffer {
    if (this.#scratch.length < size + SUFFIX_BYTES) {
      this.#scratch = Buffer.allocUnsafeSlow(2 * size + SUFFIX_BYTES);
      this.#scratchView = viewOf(this.#scratch);
    }
    const scratch = this.#scratch;
    const buffer = key.buffer;
    for (let i = key.start, at = 0; at < size; i++, at++) scratch[at] = buffer[i]!;
    this.#scratchView.setFloat64(size, key.windowStart, true);
    this.#scratchView.setFloat64(size + 8, key.windowEnd, true);
    return scratch;
  }
}

const SUFFIX_BYTES = 16;
