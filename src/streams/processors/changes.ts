import { SlotTurns } from '../../state/slot-turns.ts';
import type { Header } from '../../log/record-batch.ts';
import { type ChangedRows, CopiedKeys, type HeldKeys, RowKeys } from './held-keys.ts';
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
  /**
   * `old`: what the key (with its window) had before, null for nothing. The key may be borrowed. `slot`: of the row in the
   * store, where `openChanges` was given one.
   */
  add(key: RecordKey, value: unknown, old: unknown, timestamp: number, slot?: number): void;
  /** Forwards what was held back. For a processor's own `flush`. */
  flush(): void;
}

/** `rows`: every change is one of a row of this store. */
export function openChanges(context: ProcessorContext, options: ChangeOptions, rows?: ChangedRows): Changes {
  return options.coalesce
    ? new CoalescedChanges(context, options.sendOldValues, rows ?? null)
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

/** Changes that are held back, by index. */
interface Held {
  readonly keys: HeldKeys;
  readonly turns: SlotTurns;
  values: unknown[];
  olds: unknown[];
  timestamps: number[];
  /** The headers of each key's last change; null while no record had any. */
  headers: (readonly Header[] | undefined)[] | null;
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
  readonly #rows: ChangedRows | null;
  #held: Held;
  /** The one that was emptied last, whose tables have the size that will be needed again. */
  #spare: Held | null = null;
  #key: RecordKey | null = null;

  constructor(context: ProcessorContext, sendOldValues: boolean, rows: ChangedRows | null) {
    this.#context = context;
    this.#sendOldValues = sendOldValues;
    this.#rows = rows;
    this.#held = this.#nothingHeld();
  }

  #nothingHeld(): Held {
    const keys = this.#rows === null ? new CopiedKeys() : new RowKeys(this.#rows);
    return { keys, turns: new SlotTurns(), values: [], olds: [], timestamps: [], headers: null };
  }

  add(key: RecordKey, value: unknown, old: unknown, timestamp: number, slot = -1): void {
    // Nothing was there and nothing is: there is no row that could be told of later.
    if (slot < 0 && this.#rows !== null)
      return this.#context.forward(key, value, this.#sendOldValues ? old : undefined, timestamp);
    this.#key ??= new RecordKey(key.serde);
    const held = this.#held;
    const { keys } = held;
    let index = keys.find(key, slot);
    if (index < 0) {
      index = keys.insert(slot);
      // When old values are not sent, it only matters whether there was one.
      held.olds[index] = this.#sendOldValues || old === null ? old : undefined;
      if (index >= CHANGES_MAX) this.#context.requestCommit();
    }
    held.values[index] = value;
    held.timestamps[index] = timestamp;
    held.turns.touch(index);
    const headers = this.#context.record.headers();
    if (headers.length > 0) (held.headers ??= [])[index] = headers;
    else if (held.headers !== null) held.headers[index] = undefined;
  }

  flush(): void {
    const held = this.#held;
    if (held.values.length === 0) return;
    // Forwarding may lead back here: such changes belong to the next flush.
    this.#held = this.#spare ?? this.#nothingHeld();
    this.#spare = null;
    try {
      const { turns } = held;
      for (let turn = 0; turn < turns.length; turn++) {
        const index = turns.at(turn);
        if (index >= 0) this.#forward(held, index);
      }
    } catch (error) {
      // A child's state must be loaded first: all of it is undone and flushed again.
      this.#held = held;
      throw error;
    }
    this.#spare = emptied(held);
  }

  #forward({ keys, values, olds, timestamps, headers }: Held, index: number): void {
    if (values[index] === null && olds[index] === null) return;
    const key = this.#key!;
    if (!keys.read(index, key)) return;
    const old = this.#sendOldValues ? olds[index] : undefined;
    const own = headers?.[index];
    if (own === undefined) this.#context.forward(key, values[index], old, timestamps[index]!);
    else this.#forwardWith(own, values[index], old, timestamps[index]!);
  }

  /** Apart from what most rows take, in which a closure would cost each an object. */
  #forwardWith(headers: readonly Header[], value: unknown, old: unknown, timestamp: number): void {
    withHeaders(this.#context.record, headers, () =>
      this.#context.forward(this.#key!, value, old, timestamp),
    );
  }
}
