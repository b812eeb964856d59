/**
 * Marks of the writes of a database, so that a hole in the middle of them shows. RocksDB replays the logs that it finds,
 * whether or not one between them is missing, and takes a manifest that ends early for an older one: the newest positions
 * would then stand over rows that lack some changes.
 *
 * Write n, from 1, leaves its number in the slot (level, n's place in it): level is how often 2 divides n, and a level
 * keeps the last 16 of its numbers. So of n writes about 16·log2(n) numbers are there, dense near the newest one, and
 * any hole longer than an eighth of its distance from the newest write has lost one.
 */

const SLOTS = 16;

/** Two bytes that tell the slots of a database apart. */
export function markSlot(n: number): readonly [level: number, slot: number] {
  let level = 0;
  let odd = n;
  while (odd % 2 === 0) {
    odd /= 2;
    level++;
  }
  return [level, ((odd - 1) / 2) % SLOTS];
}

/** A write up to `newest` whose mark should be among `marks` (numbers) and is not; null when all are there. */
export function missingMark(newest: number, marks: ReadonlySet<number>): number | null {
  for (let step = 1; step <= newest; step *= 2) {
    const last = Math.floor((newest / step - 1) / 2);
    for (let i = last; i >= 0 && i > last - SLOTS; i--) {
      const n = step * (2 * i + 1);
      if (!marks.has(n)) return n;
    }
  }
  return null;
}
