import { grownInt32, SlotList } from './slot-list.ts';

/** In which order dense slots (small integers from 0) were touched last. */
export class SlotTurns {
  /** Every touch, oldest first; the one that counts of each slot is the last. */
  readonly #touches = new SlotList();
  /** Where in `#touches` a slot's last one is. */
  #turn: Int32Array = new Int32Array(64);
  #slots = 0;

  /** `slot` was touched before, or is the lowest that never was. */
  touch(slot: number): void {
    const touches = this.#touches;
    if (slot === this.#slots) this.#add();
    // A touch that is out of date costs four bytes: now and then they are all dropped.
    else if (touches.length > 2 * this.#slots + 64) this.#forget();
    this.#turn[slot] = touches.length;
    touches.push(slot);
  }

  /** How many turns there are; `at` tells whose each is. */
  get length(): number {
    return this.#touches.length;
  }

  /** The slot that was touched last at a turn, or -1 where a later turn is that slot's. */
  at(turn: number): number {
    const slot = this.#touches.at(turn);
    return this.#turn[slot] === turn ? slot : -1;
  }

  clear(): void {
    this.#touches.clear();
    this.#slots = 0;
  }

  #add(): void {
    if (this.#slots === this.#turn.length) this.#turn = grownInt32(this.#turn, this.#slots * 2);
    this.#slots++;
  }

  #forget(): void {
    const touches = this.#touches;
    let kept = 0;
    for (let turn = 0; turn < touches.length; turn++) {
      const slot = this.at(turn);
      if (slot < 0) continue;
      this.#turn[slot] = kept;
      touches.items[kept++] = slot;
    }
    touches.length = kept;
  }
}
