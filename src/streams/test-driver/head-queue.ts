/**
 * A binary heap with the ties of java.util.PriorityQueue: Kafka Streams picks the input whose next record is oldest
 * from one, and which of several equally old inputs comes first shows in the order of results.
 */
export class HeadQueue<T> {
  readonly #rankOf: (item: T) => number;
  readonly #items: T[] = [];

  constructor(rankOf: (item: T) => number) {
    this.#rankOf = rankOf;
  }

  offer(item: T): void {
    const items = this.#items;
    const rank = this.#rankOf(item);
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (rank >= this.#rankOf(items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  poll(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined || items.length === 0) return first;
    const rank = this.#rankOf(last);
    let at = 0;
    for (const half = items.length >>> 1; at < half;) {
      let child = 2 * at + 1;
      if (child + 1 < items.length && this.#rankOf(items[child]!) > this.#rankOf(items[child + 1]!)) child++;
      if (rank <= this.#rankOf(items[child]!)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return first;
  }
}
