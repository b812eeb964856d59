import { SlotList, grownInt32, grownUint8 } from './slot-list.ts';

/**
 * A short list of row slots for each key slot, all in one arena of 32-bit integers: blocks of powers of two, freed
 * blocks kept by size. Most keys have one row, which costs one integer.
 */
export class SlotFragments {
  arena: Int32Array = new Int32Array(256);
  offsets: Int32Array = new Int32Array(64);
  counts: Int32Array = new Int32Array(64);
  /** The last slot of each list, -1 of an empty one: most reads want it, and this is one step to it. */
  newest: Int32Array = new Int32Array(64).fill(-1);
  /** log2 of the block's size + 1; 0 when the key has no block. */
  #classes: Uint8Array = new Uint8Array(64);
  #used = 0;
  #free: SlotList[] = [];

  /** Makes room for lists of keys below `capacity`. */
  reserve(capacity: number): void {
    if (capacity <= this.counts.length) return;
    const size = Math.max(capacity, this.counts.length * 2);
    this.offsets = grownInt32(this.offsets, size);
    this.counts = grownInt32(this.counts, size);
    const used = this.newest.length;
    this.newest = grownInt32(this.newest, size).fill(-1, used);
    this.#classes = grownUint8(this.#classes, size);
  }

  at(key: number, index: number): number {
    return this.arena[this.offsets[key]! + index]!;
  }

  insert(key: number, index: number, slot: number): void {
    const count = this.counts[key]!;
    const sizeClass = this.#classes[key]!;
    if (sizeClass === 0 || count === 1 << (sizeClass - 1)) {
      const block = this.#allocate(sizeClass + 1);
      const old = this.offsets[key]!;
      this.arena.copyWithin(block, old, old + count);
      this.#release(key);
      this.offsets[key] = block;
      this.#classes[key] = sizeClass + 1;
    }
    const offset = this.offsets[key]!;
    if (index < count) this.arena.copyWithin(offset + index + 1, offset + index, offset + count);
    this.arena[offset + index] = slot;
    this.counts[key] = count + 1;
    if (index === count) this.newest[key] = slot;
  }

  /** Removes `size` slots from `index` on. */
  remove(key: number, index: number, size: number): void {
    const offset = this.offsets[key]!;
    const count = this.counts[key]!;
    this.arena.copyWithin(offset + index, offset + index + size, offset + count);
    const left = count - size;
    this.counts[key] = left;
    this.newest[key] = left === 0 ? -1 : this.arena[offset + left - 1]!;
    if (count === size) {
      this.#release(key);
      this.#classes[key] = 0;
    }
  }

  clear(): void {
    this.arena = new Int32Array(256);
    this.offsets.fill(0);
    this.counts.fill(0);
    this.newest.fill(-1);
    this.#classes.fill(0);
    this.#used = 0;
    this.#free = [];
  }

  #allocate(sizeClass: number): number {
    const free = this.#free[sizeClass];
    if (free !== undefined && free.length > 0) return free.pop();
    const block = this.#used;
    this.#used += 1 << (sizeClass - 1);
    if (this.#used > this.arena.length)
      this.arena = grownInt32(this.arena, Math.max(this.#used, this.arena.length * 2));
    return block;
  }

  #release(key: number): void {
    const sizeClass = this.#classes[key]!;
    if (sizeClass === 0) return;
    (this.#free[sizeClass] ??= new SlotList(8)).push(this.offsets[key]!);
  }
}
