import { asciiText } from './text-slice.ts';

const SLOTS = 1024;
const MAX_LENGTH = 40;
const PROBATION = 4096;
const REST = 262_144;

/**
 * Gives the JavaScript string of short ASCII byte ranges without making it anew when it was met before: columns of few
 * distinct values then allocate nothing. One string a slot, so it is bounded; a newcomer takes the slot. A column that is
 * seldom met again is noticed and left alone for a while.
 */
export class StringDictionary {
  /** Made at the first text: most columns never hold one. */
  #strings: (string | undefined)[] | null = null;
  #lookups = 0;
  #hits = 0;
  #resting = 0;

  /** The text of `buffer[start, end)`, whose bytes are all ASCII. */
  get(buffer: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length > MAX_LENGTH || this.#resting > 0) {
      if (this.#resting > 0) this.#resting--;
      return asciiText(buffer, start, end);
    }
    if (length === 0) return '';
    if (++this.#lookups === PROBATION) this.#judge();
    // Samples are enough: names and codes that differ do so at their ends, and the bytes are compared below.
    let hash = length;
    hash = Math.imul(hash ^ buffer[end - 1]!, 0x01000193);
    hash = Math.imul(hash ^ buffer[start]!, 0x01000193);
    hash = Math.imul(hash ^ buffer[start + (length >> 1)]!, 0x01000193);
    if (length > 3) {
      hash = Math.imul(hash ^ buffer[end - 2]!, 0x01000193);
      hash = Math.imul(hash ^ buffer[end - 3]!, 0x01000193);
    }
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const strings = (this.#strings ??= Array.from({ length: SLOTS }, () => undefined));
    const known = strings[slot];
    if (known !== undefined && known.length === length) {
      let i = 0;
      while (i < length && known.charCodeAt(i) === buffer[start + i]) i++;
      if (i === length) {
        this.#hits++;
        return known;
      }
    }
    const text = asciiText(buffer, start, end);
    strings[slot] = text;
    return text;
  }

  #judge(): void {
    if (this.#hits < PROBATION / 4) this.#resting = REST;
    this.#lookups = 0;
    this.#hits = 0;
  }
}
