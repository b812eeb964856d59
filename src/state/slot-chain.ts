import { grownInt32 } from './slot-list.ts';

/** A chain of dense slots (small integers from 0), linked both ways so that one can be moved to its end. */
export class SlotChain {
  /** By slot; -1 at the ends. */
  #next: Int32Array = new Int32Array(64);
  #previous: Int32Array = new Int32Array(64);
  #count = 0;
  #last = -1;

  /** -1 when there is none. */
  first = -1;

  /** The slot that follows, or -1. */
  after(slot: number): number {
    return this.#next[slot]!;
  }

  /** `slot` is in the chain, or is the lowest that never was. */
  moveToEnd(slot: number): void {
    const last = this.#last;
    if (slot === last) return;
    if (slot === this.#count) this.#grow();
    else this.#unlink(slot);
    this.#next[slot] = -1;
    this.#previous[slot] = last;
    if (last < 0) this.first = slot;
    else this.#next[last] = slot;
    this.#last = slot;
  }

  #grow(): void {
    if (this.#count === this.#next.length) {
      this.#next = grownInt32(this.#next, this.#count * 2);
      this.#previous = grownInt32(this.#previous, this.#count * 2);
    }
    this.#count++;
  }

  /** Not the last one, so another follows. */
  #unlink(slot: number): void {
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    this.#previous[next] = previous;
    if (previous < 0) this.first = next;
    else this.#next[previous] = next;
  }
}
