import type { ByteWriter } from '../common/bytes.ts';
import { KeyTable } from './key-table.ts';
import { ABSENT, DIRTY, LIVE, RowStore, USED } from './row-store.ts';
import { SlotOrder } from './slot-order.ts';
import { slotsByKey } from './slots-by-key.ts';
import { LATEST } from './store.ts';
import type { KeyValueStore, KeyValueStoreOptions, KeyValueVisitor } from './store.ts';

/** Space byte of database keys; the whole key is [store u16][space u8][key]. */
const KEY_VALUE_SPACE = 1;

/** A key range [from, to) all of whose rows are in memory. */
interface Covered {
  readonly from: Buffer | null;
  readonly to: Buffer | null;
}

/** The key-value store: a hash table of keys, and an order over them from the first range read on. */
export class KeyValueRows extends RowStore implements KeyValueStore {
  readonly kind = 'key-value';
  readonly #keys = new KeyTable();
  #order: SlotOrder | null = null;
  #covered: Covered[] = [];
  #hand = 0;

  constructor(options: KeyValueStoreOptions, persisted: boolean) {
    super(options, persisted);
  }

  get pointPrefix(): Buffer {
    return Buffer.of(this.id >>> 8, this.id & 0xff, KEY_VALUE_SPACE);
  }

  get keyBytes(): number {
    return this.#keys.keyBytes;
  }

  get approximateCount(): number {
    return this.complete ? this.present : Math.max(this.present, this.storedCount);
  }

  find(key: Uint8Array, start: number, end: number): number {
    let slot = this.#keys.find(key, start, end);
    if (this.complete) return slot < 0 || (this.flags[slot]! & ABSENT) !== 0 ? -1 : slot;
    if (slot < 0) {
      this.want(key, start, end);
      this.missed();
      slot = this.#keys.find(key, start, end);
    }
    this.flags[slot]! |= USED;
    return (this.flags[slot]! & ABSENT) === 0 ? slot : -1;
  }

  put(key: Uint8Array, start: number, end: number, value: unknown, timestamp: number): number {
    if (value !== null && this.checkValue !== null) this.checkValue(value);
    const slot = this.#keys.find(key, start, end);
    if (slot >= 0) {
      this.write(slot, false, value, timestamp);
      return LATEST;
    }
    // Where every row is in memory there is nothing to delete.
    if (value === null && this.complete) return LATEST;
    this.write(this.#insert(key, start, end), true, value, timestamp);
    return LATEST;
  }

  range(from: Uint8Array | null, to: Uint8Array | null, reverse: boolean, visit: KeyValueVisitor): void {
    if (!this.complete && !this.#isCovered(from, to)) {
      this.ranges.push({
        key: from === null ? null : Buffer.from(from),
        keyTo: to === null ? null : Buffer.from(to),
        from: 0,
        to: 0,
      });
      this.missed();
    }
    if (this.present === 0) return;
    const keys = this.#keys;
    const order = (this.#order ??= new SlotOrder(slotsByKey(keys), (a, b) => keys.compare(a, b)));
    const isBelow = (slot: number, bound: Uint8Array): boolean =>
      keys.compareTo(slot, bound, 0, bound.length) < 0;
    if (reverse) order.seek(to === null ? () => true : (slot) => isBelow(slot, to));
    else order.seek(from === null ? () => false : (slot) => isBelow(slot, from));
    for (;;) {
      const slot = reverse ? order.previous() : order.next();
      if (slot < 0) return;
      if (reverse ? from !== null && isBelow(slot, from) : to !== null && !isBelow(slot, to)) return;
      if ((this.flags[slot]! & ABSENT) !== 0) continue;
      const version = order.version;
      const go = visit(
        keys.slabOf(slot),
        keys.startOf(slot),
        keys.endOf(slot),
        this.values[slot],
        this.timestamps[slot]!,
      );
      if (go === false) return;
      // The visitor put a new key, or walked another range: find the way back.
      if (order.version !== version)
        order.seek(
          reverse ? (other) => keys.compare(other, slot) < 0 : (other) => keys.compare(other, slot) <= 0,
        );
    }
  }

  /** Asks the next load for a key, unless memory knows it. */
  want(key: Uint8Array, start: number, end: number): void {
    if (this.complete || this.#keys.find(key, start, end) >= 0 || this.points.find(key, start, end) >= 0)
      return;
    this.points.insert(key, start, end);
  }

  /** Takes a row away as a put of null would, unless it is gone already. */
  protected remove(slot: number): void {
    if ((this.flags[slot]! & (LIVE | ABSENT)) === LIVE) this.write(slot, false, null, this.timestamps[slot]!);
  }

  restoreRow(key: Uint8Array, start: number, end: number, value: unknown, timestamp: number): void {
    let slot = this.#keys.find(key, start, end);
    if (slot < 0) {
      if (value === null && this.complete) return;
      slot = this.#insert(key, start, end);
    }
    this.writeRestored(slot, value, timestamp);
  }

  install(key: Uint8Array, start: number, value: Buffer | null): void {
    if (this.#keys.find(key, start + 1, key.length) >= 0) return;
    const slot = this.#insert(key, start + 1, key.length);
    if (value !== null) this.fill(slot, this.decodeStored(value), value.readDoubleBE(0));
  }

  /** Every key in [from, to) is in memory now. */
  cover(from: Buffer | null, to: Buffer | null): void {
    this.#covered.push({ from, to });
  }

  evict(enough: () => boolean): boolean {
    let dropped = false;
    // Two rounds: the first may find every row used.
    for (let left = this.#keys.slotEnd * 2; left > 0 && (left % 256 !== 0 || !enough()); left--) {
      if (this.#hand >= this.#keys.slotEnd) this.#hand = 0;
      const slot = this.#hand++;
      const flags = this.flags[slot]!;
      if ((flags & LIVE) === 0 || (flags & DIRTY) !== 0) continue;
      if ((flags & USED) !== 0) {
        this.flags[slot] = flags & ~USED;
        continue;
      }
      if (!dropped) {
        dropped = true;
        this.#covered = [];
        if (this.complete) this.storedCount = this.present;
        this.complete = false;
      }
      this.#keys.remove(slot);
      this.forget(slot);
    }
    if (dropped) this.#order?.retain((slot) => this.#keys.has(slot));
    return dropped;
  }

  override clear(): void {
    super.clear();
    this.#keys.clear();
    this.#order = null;
    this.#covered = [];
  }

  protected writeChangelogKey(slot: number, writer: ByteWriter): void {
    const keys = this.#keys;
    writer.writeBytes(keys.slabOf(slot), keys.startOf(slot), keys.endOf(slot));
  }

  protected writeDatabaseKey(slot: number, writer: ByteWriter): void {
    writer.writeByte(KEY_VALUE_SPACE);
    this.writeChangelogKey(slot, writer);
  }

  protected unlink(slot: number): void {
    this.#order?.remove(slot);
    this.#keys.remove(slot);
  }

  #insert(key: Uint8Array, start: number, end: number): number {
    const slot = this.#keys.insert(key, start, end);
    this.create(slot);
    this.#order?.insert(slot);
    return slot;
  }

  #isCovered(from: Uint8Array | null, to: Uint8Array | null): boolean {
    return this.#covered.some(
      (range) =>
        (range.from === null || (from !== null && Buffer.compare(range.from, from) <= 0)) &&
        (range.to === null || (to !== null && Buffer.compare(to, range.to) <= 0)),
    );
  }
}
