import type { SlotList } from './slot-list.ts';

/** Keys that are compared one by one: below this nothing is won by numbers. */
const FEW = 12;
/** Bytes that a number holds of a key. */
const DIGITS = 4;
/** A byte, or the end of the key, which comes first. */
const BASE = 257;
/** The lower bits of a number say which key it is of: 31, and the digits take 33, since 257 ** 4 is below 2 ** 33. */
const PLACE = 0x7fff_ffff;

/**
 * The order of keys by their bytes; equal ones stay in theirs. Key `i` is `bytes` from `starts` to `ends` at `i`.
 * Sorted as numbers, four bytes of the keys and their places, which takes no call of ours a comparison.
 */
export function sortedKeys(bytes: Uint8Array, starts: SlotList, ends: SlotList): Int32Array {
  const sort = new KeySort(bytes, starts.items, ends.items, starts.length);
  sort.sort(0, starts.length, 0);
  return sort.order;
}

class KeySort {
  readonly order: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;

  constructor(bytes: Uint8Array, starts: Int32Array, ends: Int32Array, count: number) {
    this.#bytes = bytes;
    this.#starts = starts;
    this.#ends = ends;
    this.order = new Int32Array(count);
    for (let i = 0; i < count; i++) this.order[i] = i;
  }

  /** Sorts the keys at [from, to), which are alike before `depth`. */
  sort(from: number, to: number, depth: number): void {
    if (to - from <= FEW) return this.#insertionSort(from, to, depth);
    const { order } = this;
    const count = to - from;
    const at = this.#sharedBytes(from, to, depth);
    // Numbers of 64 bits are written and read by halves, the lower one first, as all machines have it that this runs on.
    const numbers = new BigUint64Array(count);
    const halves = new Uint32Array(numbers.buffer);
    for (let i = 0; i < count; i++) {
      const digits = this.#digits(order[from + i]!, at);
      halves[2 * i] = i + (digits % 2 === 0 ? 0 : PLACE + 1);
      halves[2 * i + 1] = digits / 2;
    }
    numbers.sort();
    const before = order.slice(from, to);
    let run = from;
    let runDigits = -1;
    for (let i = 0; i < count; i++) {
      const low = halves[2 * i]!;
      const digits = 2 * halves[2 * i + 1]! + (low >>> 31);
      order[from + i] = before[low & PLACE]!;
      if (digits === runDigits) continue;
      this.#sortRun(run, from + i, at, runDigits);
      run = from + i;
      runDigits = digits;
    }
    this.#sortRun(run, to, at, runDigits);
  }

  /** Sorts keys with the same digits at `at`: when those tell of an end, the keys are equal. */
  #sortRun(from: number, to: number, at: number, digits: number): void {
    if (to - from > 1 && digits % BASE !== 0) this.sort(from, to, at + DIGITS);
  }

  #insertionSort(from: number, to: number, depth: number): void {
    const { order } = this;
    for (let i = from + 1; i < to; i++) {
      const key = order[i]!;
      let at = i;
      for (; at > from && this.#isAfter(order[at - 1]!, key, depth); at--) order[at] = order[at - 1]!;
      order[at] = key;
    }
  }

  #isAfter(a: number, b: number, depth: number): boolean {
    const bytes = this.#bytes;
    const aEnd = this.#ends[a]!;
    const bEnd = this.#ends[b]!;
    let i = this.#starts[a]! + depth;
    let j = this.#starts[b]! + depth;
    for (; i < aEnd && j < bEnd; i++, j++) if (bytes[i] !== bytes[j]) return bytes[i]! > bytes[j]!;
    return i < aEnd;
  }

  /** How many bytes the keys at [from, to) have in common; those before `depth` are known to be. */
  #sharedBytes(from: number, to: number, depth: number): number {
    const bytes = this.#bytes;
    const first = this.#starts[this.order[from]!]!;
    let shared = this.#ends[this.order[from]!]! - first;
    for (let i = from + 1; i < to && shared > depth; i++) {
      const key = this.order[i]!;
      const start = this.#starts[key]!;
      shared = Math.min(shared, this.#ends[key]! - start);
      let at = depth;
      while (at < shared && bytes[start + at] === bytes[first + at]) at++;
      shared = at;
    }
    return shared;
  }

  /** The bytes of a key from `at` on, as digits of a number that has the same order. */
  #digits(key: number, at: number): number {
    const bytes = this.#bytes;
    const from = this.#starts[key]! + at;
    const end = this.#ends[key]!;
    let digits = 0;
    for (let i = from; i < from + DIGITS; i++) digits = digits * BASE + (i < end ? bytes[i]! + 1 : 0);
    return digits;
  }
}
