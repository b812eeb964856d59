import { viewOf } from '../../common/view-of.ts';
import { KeyTable } from '../../state/key-table.ts';
import { SlotList, grownInt32 } from '../../state/slot-list.ts';
import type { RecordKey } from '../topology/record-key.ts';

/** Keys, with their windows, that something is held back for; their indexes are dense. */
export interface HeldKeys {
  /** The index of a key, or -1. `slot`: of its row, where keys are known by their rows. */
  find(key: RecordKey, slot: number): number;
  /** Adds the key that the last `find` did not find. */
  insert(slot: number): number;
  /** Points `key` at what an index stands for; false when that is gone. */
  read(index: number, key: RecordKey): boolean;
  clear(): void;
}

const WINDOW_BYTES = 16;

/** Keys by their bytes, of which it has copies. */
export class CopiedKeys implements HeldKeys {
  /** Keys, with the window's bounds behind them. */
  readonly #keys = new KeyTable();
  #scratch = Buffer.allocUnsafeSlow(256);
  #scratchView = viewOf(this.#scratch);
  #size = 0;

  find(key: RecordKey): number {
    const size = key.end - key.start;
    this.#size = size + WINDOW_BYTES;
    if (this.#scratch.length < this.#size) {
      this.#scratch = Buffer.allocUnsafeSlow(2 * this.#size);
      this.#scratchView = viewOf(this.#scratch);
    }
    const scratch = this.#scratch;
    const buffer = key.buffer;
    for (let i = key.start, at = 0; at < size; i++, at++) scratch[at] = buffer[i]!;
    this.#scratchView.setFloat64(size, key.windowStart, true);
    this.#scratchView.setFloat64(size + 8, key.windowEnd, true);
    return this.#keys.find(scratch, 0, this.#size);
  }

  insert(): number {
    return this.#keys.insert(this.#scratch, 0, this.#size);
  }

  read(index: number, key: RecordKey): boolean {
    const buffer = this.#keys.slabOf(index);
    const end = this.#keys.endOf(index) - WINDOW_BYTES;
    key.setBytes(buffer, this.#keys.startOf(index), end);
    key.windowStart = buffer.readDoubleLE(end);
    key.windowEnd = buffer.readDoubleLE(end + 8);
    return true;
  }

  clear(): void {
    this.#keys.clear();
  }
}

/** The rows of a store, by slot. */
export interface ChangedRows {
  /** Points `key` at the key of a row, with its window. */
  readKey(slot: number, key: RecordKey): void;
  /** Another number when the slot has been freed since. */
  generationAt(slot: number): number;
}

/**
 * Keys by the slots of their rows, which cost no look-up and no copy. A row that has changed keeps its slot until it is
 * told of and committed, unless the record that made it is undone: then the slot may be another row's.
 */
export class RowKeys implements HeldKeys {
  readonly #rows: ChangedRows;
  readonly #slots = new SlotList();
  readonly #generations = new SlotList();
  /** By slot: its index and 1, or 0. */
  #indexes: Int32Array = new Int32Array(64);

  constructor(rows: ChangedRows) {
    this.#rows = rows;
  }

  find(_key: RecordKey, slot: number): number {
    const index = slot < this.#indexes.length ? this.#indexes[slot]! - 1 : -1;
    return index >= 0 && this.#isThere(index, slot) ? index : -1;
  }

  insert(slot: number): number {
    if (slot >= this.#indexes.length) this.#indexes = grownInt32(this.#indexes, 2 * slot);
    this.#slots.push(slot);
    this.#generations.push(this.#rows.generationAt(slot));
    this.#indexes[slot] = this.#slots.length;
    return this.#slots.length - 1;
  }

  read(index: number, key: RecordKey): boolean {
    const slot = this.#slots.at(index);
    if (!this.#isThere(index, slot)) return false;
    this.#rows.readKey(slot, key);
    return true;
  }

  clear(): void {
    for (let index = 0; index < this.#slots.length; index++) this.#indexes[this.#slots.at(index)] = 0;
    this.#slots.clear();
    this.#generations.clear();
  }

  #isThere(index: number, slot: number): boolean {
    return this.#generations.at(index) === this.#rows.generationAt(slot);
  }
}
