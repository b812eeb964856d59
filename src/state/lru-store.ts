import { KeyValueRows } from './key-value-store.ts';
import type { KeyValueStoreOptions } from './store.ts';

/**
 * A key-value store of at most so many rows: the one that was read or written longest ago makes room. All in memory;
 * the changelog gets a tombstone for each row that goes.
 */
export class LruRows extends KeyValueRows {
  readonly #rowsMax: number;
  /** Slots of rows, the one used last at the end. */
  readonly #recent = new Set<number>();

  constructor(options: KeyValueStoreOptions & { readonly rowsMax: number }) {
    super(options, false);
    this.#rowsMax = options.rowsMax;
  }

  override find(key: Uint8Array, start: number, end: number): number {
    const slot = super.find(key, start, end);
    if (slot >= 0) this.#use(slot);
    return slot;
  }

  override put(key: Uint8Array, start: number, end: number, value: unknown, timestamp: number): number {
    const validTo = super.put(key, start, end, value, timestamp);
    if (value !== null) this.find(key, start, end);
    this.#makeRoom();
    return validTo;
  }

  override restoreRow(key: Uint8Array, start: number, end: number, value: unknown, timestamp: number): void {
    super.restoreRow(key, start, end, value, timestamp);
    if (value !== null) this.find(key, start, end);
    this.#makeRoom();
  }

  override clear(): void {
    super.clear();
    this.#recent.clear();
  }

  protected override unlink(slot: number): void {
    this.#recent.delete(slot);
    super.unlink(slot);
  }

  #use(slot: number): void {
    this.#recent.delete(slot);
    this.#recent.add(slot);
  }

  #makeRoom(): void {
    for (const slot of this.#recent) {
      if (this.present <= this.#rowsMax) return;
      this.#recent.delete(slot);
      this.remove(slot);
    }
  }
}
