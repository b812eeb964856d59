import { grownFloat64 } from './slot-list.ts';

/**
 * Which times of which keys are in memory as a whole: one interval a key slot, and one over all keys. Nothing is
 * covered where low > high.
 */
export class CoveredTimes {
  #low: Float64Array = new Float64Array(64).fill(Infinity);
  #high: Float64Array = new Float64Array(64).fill(-Infinity);
  #allLow = Infinity;
  #allHigh = -Infinity;

  /** Makes room for keys below `capacity`. */
  reserve(capacity: number): void {
    if (capacity <= this.#low.length) return;
    this.#low = grownFloat64(this.#low, capacity, Infinity);
    this.#high = grownFloat64(this.#high, capacity, -Infinity);
  }

  /** Whether [low, high] is covered for a key; slot -1 stands for any key that is not in memory. */
  has(slot: number, low: number, high: number): boolean {
    if (this.hasAll(low, high)) return true;
    return slot >= 0 && this.#low[slot]! <= low && high <= this.#high[slot]!;
  }

  hasAll(low: number, high: number): boolean {
    return this.#allLow <= low && high <= this.#allHigh;
  }

  /** Whether anything is covered for the key itself. */
  hasAny(slot: number): boolean {
    return this.#low[slot]! <= this.#high[slot]!;
  }

  /**
   * The intervals to read before [from, to] can be covered. What is covered is always one interval, so the gap to one
   * that lies further away is among them.
   */
  missing(slot: number, from: number, to: number): readonly (readonly [from: number, to: number])[] {
    if (slot < 0 || !this.hasAny(slot)) return [[from, to]];
    const low = this.#low[slot]!;
    const high = this.#high[slot]!;
    const missing: [number, number][] = [];
    if (from < low) missing.push([from, low]);
    if (to > high) missing.push([high, to]);
    return missing;
  }

  /** As `missing`, for all keys. */
  missingOfAll(from: number, to: number): readonly (readonly [from: number, to: number])[] {
    return this.#allLow > this.#allHigh
      ? [[from, to]]
      : [[Math.min(from, this.#allLow), Math.max(to, this.#allHigh)]];
  }

  cover(slot: number, from: number, to: number): void {
    this.#low[slot] = Math.min(this.#low[slot]!, from);
    this.#high[slot] = Math.max(this.#high[slot]!, to);
  }

  coverAll(from: number, to: number): void {
    this.#allLow = Math.min(this.#allLow, from);
    this.#allHigh = Math.max(this.#allHigh, to);
  }

  /** Rows of the key have left memory. */
  uncover(slot: number): void {
    this.#low[slot] = Infinity;
    this.#high[slot] = -Infinity;
  }

  /** Rows of some key have left memory. */
  uncoverAll(): void {
    this.#allLow = Infinity;
    this.#allHigh = -Infinity;
  }

  clear(): void {
    this.#low.fill(Infinity);
    this.#high.fill(-Infinity);
    this.uncoverAll();
  }
}
