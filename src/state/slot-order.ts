const CHUNK = 512;

/**
 * Slots in an order, kept up while slots come and go: sorted chunks of at most 512, found by binary search. An
 * insert moves at most one chunk's ints; inserts at the end only append.
 */
export class SlotOrder {
  readonly #compare: (a: number, b: number) => number;
  #chunks: Int32Array[] = [];
  #counts: number[] = [];
  /** Changes with every insert, remove and seek: a walk seeks again when another one moved it. */
  version = 0;
  /** The place that `seek` found. */
  #chunk = 0;
  #at = 0;

  /** `compare` must tell any two slots apart. `slots` are in its order. */
  constructor(slots: Int32Array, compare: (a: number, b: number) => number) {
    this.#compare = compare;
    for (let from = 0; from < slots.length; from += CHUNK / 2) {
      const part = slots.subarray(from, from + CHUNK / 2);
      const chunk = new Int32Array(CHUNK);
      chunk.set(part);
      this.#chunks.push(chunk);
      this.#counts.push(part.length);
    }
  }

  insert(slot: number): void {
    this.version++;
    const chunks = this.#chunks;
    if (chunks.length === 0) {
      const chunk = new Int32Array(CHUNK);
      chunk[0] = slot;
      chunks.push(chunk);
      this.#counts.push(1);
      return;
    }
    this.#locate(slot);
    let c = this.#chunk;
    let at = this.#at;
    if (this.#counts[c] === CHUNK) {
      const left = chunks[c]!;
      const right = new Int32Array(CHUNK);
      // Appending splits off an empty chunk, so that ordered inserts leave full ones behind.
      const keep = at === CHUNK ? CHUNK : CHUNK / 2;
      right.set(left.subarray(keep));
      chunks.splice(c + 1, 0, right);
      this.#counts[c] = keep;
      this.#counts.splice(c + 1, 0, CHUNK - keep);
      if (at >= keep && (at > keep || keep === CHUNK)) {
        c++;
        at -= keep;
      }
    }
    const chunk = chunks[c]!;
    chunk.copyWithin(at + 1, at, this.#counts[c]!);
    chunk[at] = slot;
    this.#counts[c]!++;
  }

  /** Removes a slot that is there and whose order has not changed since it was put in. */
  remove(slot: number): void {
    this.version++;
    this.#locate(slot);
    const c = this.#chunk;
    const chunk = this.#chunks[c]!;
    chunk.copyWithin(this.#at, this.#at + 1, this.#counts[c]!);
    if (--this.#counts[c]! === 0) {
      this.#chunks.splice(c, 1);
      this.#counts.splice(c, 1);
    }
  }

  /** Removes all slots that `keep` refuses. */
  retain(keep: (slot: number) => boolean): void {
    this.version++;
    const counts = this.#counts;
    this.#chunks.forEach((chunk, c) => {
      let kept = 0;
      for (let i = 0; i < counts[c]!; i++) if (keep(chunk[i]!)) chunk[kept++] = chunk[i]!;
      counts[c] = kept;
    });
    this.#chunks = this.#chunks.filter((_, c) => counts[c]! > 0);
    this.#counts = counts.filter((count) => count > 0);
  }

  /** Finds the first slot for which `before` is false; `before` must be true for a prefix of the order only. */
  seek(before: (slot: number) => boolean): void {
    this.version++;
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before(this.#chunks[middle]![0]!)) low = middle + 1;
      else high = middle;
    }
    const c = Math.max(0, low - 1);
    const chunk = this.#chunks[c];
    this.#chunk = c;
    this.#at = 0;
    if (chunk === undefined) return;
    let from = 0;
    let to = this.#counts[c]!;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (before(chunk[middle]!)) from = middle + 1;
      else to = middle;
    }
    this.#at = from;
  }

  /** The slot at the place found, moving on; -1 at the end. */
  next(): number {
    while (this.#chunk < this.#chunks.length) {
      if (this.#at < this.#counts[this.#chunk]!) return this.#chunks[this.#chunk]![this.#at++]!;
      this.#chunk++;
      this.#at = 0;
    }
    return -1;
  }

  /** The slot before the place found, moving back; -1 at the start. */
  previous(): number {
    while (this.#chunks.length > 0) {
      if (this.#at > 0) return this.#chunks[this.#chunk]![--this.#at]!;
      if (this.#chunk === 0) return -1;
      this.#chunk--;
      this.#at = this.#counts[this.#chunk]!;
    }
    return -1;
  }

  #locate(slot: number): void {
    const compare = this.#compare;
    const last = this.#chunks.length - 1;
    const lastCount = this.#counts[last]!;
    if (compare(this.#chunks[last]![lastCount - 1]!, slot) < 0) {
      this.#chunk = last;
      this.#at = lastCount;
      return;
    }
    this.seek((other) => compare(other, slot) < 0);
    // `seek` may stop behind the end of a chunk, when the slot is the first of the next one.
    if (this.#at === this.#counts[this.#chunk] && this.#chunks[this.#chunk + 1]?.[0] === slot) {
      this.#chunk++;
      this.#at = 0;
    }
  }
}
