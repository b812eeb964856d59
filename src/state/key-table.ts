import { assert } from '../common/assert.ts';
import { copyBytes, hashBytes } from '../common/bytes.ts';
import { SlotList, grownInt32 } from './slot-list.ts';

const SLAB_BITS = 20;
const SLAB_BYTES = 1 << SLAB_BITS;
const MAX_SLABS = 4096;

/**
 * Byte keys to slots (small integers): open addressing over typed arrays, the key bytes in slabs. No string and no
 * object a key, so a table of millions of keys costs the garbage collector nothing. What belongs to a key is kept
 * by the owner in arrays of its own, by slot.
 */
export class KeyTable {
  /** Pairs of (slot + 1, hash); 0 marks an empty place. */
  #index = new Int32Array(2 * 64);
  #mask = 2 * 64 - 1;
  #slabs: Buffer[] = [];
  #tailUsed = SLAB_BYTES;
  /**
   * Pairs by slot, which a look-up needs together: slab number and offset of the first byte, which lies in the first
   * SLAB_BYTES of its slab; and the length, -1 for a free slot.
   */
  #spans: Int32Array = new Int32Array(2 * 64).fill(-1);
  #free = new SlotList();
  #garbageBytes = 0;
  /** The slot of the last key found: an aggregate finds a key and then puts it. */
  #last = -1;
  /** The hash of the last key that was not found: it is added next, or never. */
  #missed = 0;

  /** How many keys there are. */
  count = 0;
  /** Every slot in use is below this. */
  slotEnd = 0;
  /** Bytes of the keys in the table. */
  keyBytes = 0;

  /** The slot of a key, or -1. */
  find(key: Uint8Array, start: number, end: number): number {
    const last = this.#last;
    if (last >= 0 && this.equals(last, key, start, end)) return last;
    const hash = hashBytes(key, start, end);
    const index = this.#index;
    const mask = this.#mask;
    let at = (hash << 1) & mask;
    for (;;) {
      const entry = index[at]!;
      if (entry === 0) {
        this.#missed = hash;
        return -1;
      }
      if (index[at + 1] === hash && this.equals(entry - 1, key, start, end)) {
        this.#last = entry - 1;
        return entry - 1;
      }
      at = (at + 2) & mask;
    }
  }

  /** Adds the key that the last `find` did not find. */
  insert(key: Uint8Array, start: number, end: number): number {
    if ((this.count + 1) * 3 > this.#mask + 1) this.#rehash((this.#mask + 1) * 2);
    const slot = this.#free.length > 0 ? this.#free.pop() : this.slotEnd++;
    if (2 * slot >= this.#spans.length) this.#spans = grownInt32(this.#spans, 4 * slot).fill(-1, 2 * slot);
    const size = end - start;
    const address = this.#room(size);
    this.#spans[2 * slot] = address;
    this.#spans[2 * slot + 1] = size;
    copyBytes(key, start, end, this.#slabs[address >>> SLAB_BITS]!, address & (SLAB_BYTES - 1));
    this.#place(slot, this.#missed);
    this.count++;
    this.keyBytes += size;
    this.#last = slot;
    return slot;
  }

  remove(slot: number): void {
    const size = this.#spans[2 * slot + 1]!;
    assert(size >= 0, 'the removed key must be in the table');
    const start = this.startOf(slot);
    const mask = this.#mask;
    const index = this.#index;
    let hole = (hashBytes(this.slabOf(slot), start, start + size) << 1) & mask;
    while (index[hole] !== slot + 1) hole = (hole + 2) & mask;
    // Later entries of the run move up, so that no search stops early at the hole.
    for (let at = (hole + 2) & mask; index[at] !== 0; at = (at + 2) & mask) {
      const ideal = (index[at + 1]! << 1) & mask;
      if (((at - ideal) & mask) < ((at - hole) & mask)) continue;
      index[hole] = index[at]!;
      index[hole + 1] = index[at + 1]!;
      hole = at;
    }
    index[hole] = 0;
    this.#spans[2 * slot + 1] = -1;
    this.#free.push(slot);
    this.count--;
    this.keyBytes -= size;
    this.#garbageBytes += size;
    if (this.#last === slot) this.#last = -1;
    if (this.#garbageBytes > SLAB_BYTES && this.#garbageBytes > this.keyBytes) this.#compact();
  }

  /** Whether `slot` holds a key. */
  has(slot: number): boolean {
    return slot < this.slotEnd && this.#spans[2 * slot + 1]! >= 0;
  }

  /** The buffer that holds the key's bytes, at [startOf, endOf); valid until the next `remove`. */
  slabOf(slot: number): Buffer {
    return this.#slabs[this.#spans[2 * slot]! >>> SLAB_BITS]!;
  }

  startOf(slot: number): number {
    return this.#spans[2 * slot]! & (SLAB_BYTES - 1);
  }

  endOf(slot: number): number {
    return (this.#spans[2 * slot]! & (SLAB_BYTES - 1)) + this.#spans[2 * slot + 1]!;
  }

  equals(slot: number, key: Uint8Array, start: number, end: number): boolean {
    if (this.#spans[2 * slot + 1] !== end - start) return false;
    const address = this.#spans[2 * slot]!;
    const slab = this.#slabs[address >>> SLAB_BITS]!;
    const from = address & (SLAB_BYTES - 1);
    // From the back: keys of one application begin alike and end apart.
    for (let i = end - 1, j = from + end - start - 1; i >= start; i--, j--)
      if (key[i] !== slab[j]) return false;
    return true;
  }

  /** Order of a slot's key and a range of bytes: negative, zero or positive. */
  compareTo(slot: number, key: Uint8Array, start: number, end: number): number {
    const slab = this.slabOf(slot);
    const from = this.startOf(slot);
    const size = this.#spans[2 * slot + 1]!;
    const shared = Math.min(size, end - start);
    for (let i = 0; i < shared; i++) {
      const difference = slab[from + i]! - key[start + i]!;
      if (difference !== 0) return difference;
    }
    return size - (end - start);
  }

  compare(a: number, b: number): number {
    return this.compareTo(a, this.slabOf(b), this.startOf(b), this.endOf(b));
  }

  /** Takes all keys away, and gives back the memory that most of the last round did not need. */
  clear(): void {
    if (this.slotEnd * 16 < this.#spans.length && this.#spans.length > 2 * 64) {
      this.#index = new Int32Array(2 * 64);
      this.#mask = 2 * 64 - 1;
      this.#spans = new Int32Array(2 * 64);
    } else {
      this.#index.fill(0);
    }
    this.#spans.fill(-1);
    const [first] = this.#slabs;
    this.#slabs = first === undefined || first.length > SLAB_BYTES ? [] : [first];
    this.#tailUsed = this.#slabs.length === 0 ? SLAB_BYTES : 0;
    this.#free.clear();
    this.#garbageBytes = 0;
    this.#last = -1;
    this.count = 0;
    this.slotEnd = 0;
    this.keyBytes = 0;
  }

  /** The address of `size` free bytes. */
  #room(size: number): number {
    if (this.#slabs.length === 0 || this.#tailUsed + size > SLAB_BYTES) {
      assert(this.#slabs.length < MAX_SLABS, 'the keys of one store in memory must stay below 4 GB');
      // The first slab of a small store is small; a huge key gets a slab of its own size.
      const first = this.#slabs.length === 0;
      this.#slabs.push(Buffer.allocUnsafeSlow(Math.max(size, first ? 1 << 14 : SLAB_BYTES)));
      this.#tailUsed = 0;
    }
    const number = this.#slabs.length - 1;
    const tail = this.#slabs[number]!;
    if (this.#tailUsed + size > tail.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.min(SLAB_BYTES, Math.max(tail.length * 4, this.#tailUsed + size)),
      );
      tail.copy(grown, 0, 0, this.#tailUsed);
      this.#slabs[number] = grown;
    }
    const address = number * SLAB_BYTES + Math.min(this.#tailUsed, SLAB_BYTES - 1);
    this.#tailUsed += size;
    return address;
  }

  #place(slot: number, hash: number): void {
    const index = this.#index;
    let at = (hash << 1) & this.#mask;
    while (index[at] !== 0) at = (at + 2) & this.#mask;
    index[at] = slot + 1;
    index[at + 1] = hash;
  }

  #rehash(size: number): void {
    const old = this.#index;
    this.#index = new Int32Array(size);
    this.#mask = size - 1;
    for (let at = 0; at < old.length; at += 2) if (old[at] !== 0) this.#place(old[at]! - 1, old[at + 1]!);
  }

  #compact(): void {
    const old = this.#slabs;
    this.#slabs = [];
    this.#tailUsed = SLAB_BYTES;
    this.#garbageBytes = 0;
    for (let slot = 0; slot < this.slotEnd; slot++) {
      const size = this.#spans[2 * slot + 1]!;
      if (size < 0) continue;
      const from = this.#spans[2 * slot]!;
      const to = this.#room(size);
      const start = from & (SLAB_BYTES - 1);
      copyBytes(
        old[from >>> SLAB_BITS]!,
        start,
        start + size,
        this.#slabs[to >>> SLAB_BITS]!,
        to & (SLAB_BYTES - 1),
      );
      this.#spans[2 * slot] = to;
    }
  }
}
