import { getHeapStatistics } from 'node:v8';

/** How much of the heap state may take where nobody says it: the rest is for what is being read, sent and collected. */
const HEAP_SHARE = 1 / 4;
const DEFAULT_BYTES_MAX = 512 << 20;
/** What cannot all be heap: above this, state would leave too little for the rest. */
const HEAP_SHARE_MAX = 1 / 2;
/** A state that has to shrink leaves room, so that it need not shrink again at once. */
const KEPT_SHARE = 0.75;

/** The memory that all task states of a backend share. */
export class MemoryBudget {
  readonly bytesMax: number;
  #used = 0;

  /** `bytesMax`: at most half of what V8 may have for its heap. Default a quarter of that, and no more than 512 MiB. */
  constructor(bytesMax?: number) {
    const heap = getHeapStatistics().heap_size_limit;
    this.bytesMax = Math.min(
      bytesMax ?? Math.min(DEFAULT_BYTES_MAX, heap * HEAP_SHARE),
      heap * HEAP_SHARE_MAX,
    );
  }

  /** Estimated, as the states told it last. */
  get usedBytes(): number {
    return this.#used;
  }

  /** A state holds `bytes` instead of `before`. */
  note(before: number, bytes: number): void {
    this.#used += bytes - before;
  }

  /** How much a state of `bytes` may keep: everything while all together are within the budget, else its part of it. */
  shareOf(bytes: number): number {
    if (this.#used <= this.bytesMax) return Infinity;
    return (bytes / this.#used) * this.bytesMax * KEPT_SHARE;
  }
}
