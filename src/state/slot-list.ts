/** A growable list of 32-bit integers (slots) that leaves the garbage collector nothing to walk. */
export class SlotList {
  items: Int32Array;
  length = 0;

  constructor(capacity = 64) {
    this.items = new Int32Array(capacity);
  }

  push(slot: number): void {
    if (this.length === this.items.length) this.items = grownInt32(this.items, this.length * 2);
    this.items[this.length++] = slot;
  }

  /** The last item, which is removed. The list must not be empty. */
  pop(): number {
    return this.items[--this.length]!;
  }

  at(index: number): number {
    return this.items[index]!;
  }

  /** Empties the list, and gives back memory that one large round left behind. */
  clear(): void {
    this.length = 0;
    if (this.items.length > 1 << 16) this.items = new Int32Array(64);
  }
}

export function grownInt32(old: Int32Array, capacity: number): Int32Array {
  const grown = new Int32Array(capacity);
  grown.set(old);
  return grown;
}

export function grownFloat64(old: Float64Array, capacity: number, fill = 0): Float64Array {
  const grown = new Float64Array(capacity);
  grown.set(old);
  if (fill !== 0) grown.fill(fill, old.length);
  return grown;
}

export function grownUint8(old: Uint8Array, capacity: number): Uint8Array {
  const grown = new Uint8Array(capacity);
  grown.set(old);
  return grown;
}
