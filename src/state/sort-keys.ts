import type { SlotList } from './slot-list.ts';

/** Keys that are compared one by one: below this nothing is won by numbers. */
const FEW = 12;
/** Bytes after those which all keys have in common that are looked at for a number. */
const LOOKED_AT = 10;
/** The lower bits of a number say which key it is of, and so many say how the key goes on: four bytes at least. */
const DIGIT_BITS = 33;
const PLACE = 0x7fff_ffff;

/**
 * The order of keys by their bytes; equal ones stay in theirs. Key `i` is `bytes` from `starts` to `ends` at `i`.
 * Sorted as numbers, which takes no call of ours a comparison: as many bytes as fit, each as its rank among the bytes
 * that occur (text has few), and the key's place.
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
  /** By byte, of those that occur; 256 of them need more than a byte. */
  readonly #ranks = new Uint16Array(256);

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
    const base = this.#rank(from, to, at);
    const size = Math.min(LOOKED_AT, Math.floor(DIGIT_BITS / Math.log2(base)));
    // Numbers of 64 bits are written and read by halves, the lower one first, as all machines have it that this runs on.
    const numbers = new BigUint64Array(count);
    const halves = new Uint32Array(numbers.buffer);
    for (let i = 0; i < count; i++) {
      const digits = this.#digits(order[from + i]!, at, size, base);
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
      if (from + i - run > 1) this.#sortRun(run, from + i, at + size);
      run = from + i;
      runDigits = digits;
    }
    if (to - run > 1) this.#sortRun(run, to, at + size);
  }

  /** Keys that are alike before `depth`: the same if one ends before that. */
  #sortRun(from: number, to: number, depth: number): void {
    const first = this.order[from]!;
    if (this.#ends[first]! - this.#starts[first]! >= depth) this.sort(from, to, depth);
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

  /** Ranks the bytes that occur in keys of [from, to) at `at` and a few after it. Returns how many ranks there are. */
  #rank(from: number, to: number, at: number): number {
    const bytes = this.#bytes;
    const ranks = this.#ranks.fill(0);
    for (let i = from; i < to; i++) {
      const key = this.order[i]!;
      const start = this.#starts[key]! + at;
      const end = Math.min(start + LOOKED_AT, this.#ends[key]!);
      for (let j = start; j < end; j++) ranks[bytes[j]!] = 1;
    }
    // 0 is the end of a key.
    let rank = 0;
    for (let byte = 0; byte < 256; byte++) if (ranks[byte] === 1) ranks[byte] = ++rank;
    return rank + 1;
  }

  /** `size` bytes of a key from `at` on, as digits of a number that has the same order. */
  #digits(key: number, at: number, size: number, base: number): number {
    const bytes = this.#bytes;
    const ranks = this.#ranks;
    const from = this.#starts[key]! + at;
    const end = this.#ends[key]!;
    let digits = 0;
    for (let i = from; i < from + size; i++) digits = digits * base + (i < end ? ranks[bytes[i]!]! : 0);
    return digits;
  }
}
