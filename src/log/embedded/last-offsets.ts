import { createHash } from 'node:crypto';
import { copyBytes, hashBytes } from '../../common/bytes.ts';

const SLAB_BITS = 18;
const SLAB_BYTES = 1 << SLAB_BITS;
/** Words of a place in the index: hash, and address of the key + 1 (0: the place is empty). */
const WORDS = 2;
const PLACES_MIN = 16;
/** The part of the places that may be taken: while there can be more of them, when it is full, and before it must grow all the same. */
const LOAD = 0.7;
const LOAD_FULL = 0.75;
const LOAD_MAX = 0.9;
/** What stands before a key: its last offset, from the base, and its length in a byte. */
const HEAD_BYTES = 5;
/** Longer keys are kept as their SHA-256. */
const KEY_BYTES_MAX = 64;
/** Stands where a key's length stands. */
const DIGEST = 255;
/** Offsets lie less than this behind the base: each has a bit. */
const OFFSETS_MAX = 2 ** 25;

/**
 * Gathers the keys of records behind an offset, the base, and tells which records one of these replaces. In memory that
 * does not grow with the number of keys: who fills it asks `isFull`. Open addressing over one typed array, the keys'
 * bytes behind each other in slabs: no object a key, nothing in the heap, and less than half of what a `KeyTable`
 * takes, which can remove keys and order them. A bit an offset says which of the gathered records are replaced, so
 * that only those before the base are looked up.
 *
 * Kafka's log cleaner knows a key by its hash only. Here the bytes decide: a hash that is cheap can be made to collide by
 * who chooses the keys, and then a record would go that none of its key follows. Only long keys are known by a
 * hash, one that nobody can make collide: whole, a few of them would fill the table.
 */
export class LastOffsets {
  readonly #placesMax: number;
  readonly #keyBytesMax: number;
  #index = new Int32Array(WORDS * PLACES_MIN);
  #places = PLACES_MIN;
  readonly #slabs: Buffer[] = [];
  /** The words of the slabs. Entries begin at whole words, with the offset. */
  readonly #slabWords: Int32Array[] = [];
  /** Slabs in use, and up to where the last of them is. */
  #slabCount = 0;
  #tailUsed = SLAB_BYTES;
  #base = 0;
  #replaced = new Uint8Array(1024);

  /** How many keys there are. */
  count = 0;

  /** What it takes stays below `sizeBytesMax` (at least a slab), but for the bits and for what is added after `isFull`. */
  constructor(sizeBytesMax: number) {
    const places = Math.max(PLACES_MIN, sizeBytesMax / 2 / (4 * WORDS));
    this.#placesMax = 2 ** Math.floor(Math.log2(places));
    this.#keyBytesMax = Math.max(1, sizeBytesMax - this.#placesMax * 4 * WORDS);
  }

  /** Bytes that it has, in use or not. */
  get sizeBytes(): number {
    return this.#index.byteLength + this.#replaced.length + this.#slabs.length * SLAB_BYTES;
  }

  get isFull(): boolean {
    if (this.count >= this.#placesMax * LOAD_FULL) return true;
    return (this.#slabCount - 1) * SLAB_BYTES + this.#tailUsed >= this.#keyBytesMax;
  }

  /**
   * Takes all keys away; the next ones, of up to `records` records, have offsets from `base` on. Their number says how
   * large the index may have to be: growing a large one would hold everything up. What memory it has it keeps.
   */
  clear(base: number, records: number): void {
    const places = 2 ** Math.ceil(Math.log2(Math.max(PLACES_MIN, records / LOAD)));
    this.#places = Math.min(places, this.#placesMax);
    if (WORDS * this.#places > this.#index.length) this.#index = new Int32Array(WORDS * this.#places);
    else this.#index.fill(0, 0, WORDS * this.#places);
    this.#replaced.fill(0);
    this.#slabCount = 0;
    this.#tailUsed = SLAB_BYTES;
    this.#base = base;
    this.count = 0;
  }

  /** Whether an offset is near enough to the base to be added. */
  reaches(offset: number): boolean {
    return offset - this.#base < OFFSETS_MAX;
  }

  /** Adds a record, whose offset follows those of all that were added before. */
  add(bytes: Buffer, start: number, end: number, offset: number): void {
    if (end - start > KEY_BYTES_MAX) {
      const digest = digestOf(bytes, start, end);
      this.#add(digest, 0, digest.length, DIGEST, offset - this.#base);
    } else {
      this.#add(bytes, start, end, end - start, offset - this.#base);
    }
  }

  /** Whether a record that was added replaces this one: one that was added itself, or lies before the base. */
  replaces(bytes: Buffer, start: number, end: number, offset: number): boolean {
    const distance = offset - this.#base;
    if (distance >= 0) return ((this.#replaced[distance >>> 3]! >>> (distance & 7)) & 1) === 1;
    let length = end - start;
    if (length > KEY_BYTES_MAX) {
      bytes = digestOf(bytes, start, end);
      start = 0;
      end = bytes.length;
      length = DIGEST;
    }
    const place = this.#find(hashBytes(bytes, start, end), bytes, start, end, length);
    return this.#index[place + 1] !== 0;
  }

  #add(bytes: Buffer, start: number, end: number, length: number, distance: number): void {
    const hash = hashBytes(bytes, start, end);
    let place = this.#find(hash, bytes, start, end, length);
    const address = this.#index[place + 1]! - 1;
    if (address >= 0) {
      const words = this.#slabWords[address >>> SLAB_BITS]!;
      const at = (address & (SLAB_BYTES - 1)) >>> 2;
      this.#setReplaced(words[at]!);
      words[at] = distance;
      return;
    }
    if (this.count >= this.#places * (this.#places < this.#placesMax ? LOAD : LOAD_MAX)) {
      this.#grow();
      place = this.#find(hash, bytes, start, end, length);
    }
    this.#index[place] = hash;
    this.#index[place + 1] = this.#keep(bytes, start, end, length, distance) + 1;
    this.count++;
  }

  #setReplaced(distance: number): void {
    const at = distance >>> 3;
    if (at >= this.#replaced.length) {
      const larger = new Uint8Array(2 ** Math.ceil(Math.log2(at + 1)));
      larger.set(this.#replaced);
      this.#replaced = larger;
    }
    this.#replaced[at]! |= 1 << (distance & 7);
  }

  /** Where in the index a key stands, or is to stand. */
  #find(hash: number, bytes: Buffer, start: number, end: number, length: number): number {
    const index = this.#index;
    const mask = WORDS * this.#places - 1;
    for (let place = (hash << 1) & mask; ; place = (place + WORDS) & mask) {
      const address = index[place + 1]!;
      if (address === 0 || (index[place] === hash && this.#equals(address - 1, bytes, start, end, length)))
        return place;
    }
  }

  #equals(address: number, bytes: Buffer, start: number, end: number, length: number): boolean {
    const slab = this.#slabs[address >>> SLAB_BITS]!;
    const at = (address & (SLAB_BYTES - 1)) + HEAD_BYTES;
    if (slab[at - 1] !== length) return false;
    // From the back: keys of one application begin alike and end apart.
    for (let i = end - 1, j = at + end - start - 1; i >= start; i--, j--)
      if (bytes[i] !== slab[j]) return false;
    return true;
  }

  /** The address of a new key. */
  #keep(bytes: Buffer, start: number, end: number, length: number, distance: number): number {
    const size = (HEAD_BYTES + end - start + 3) & ~3;
    if (this.#tailUsed + size > SLAB_BYTES) {
      this.#tailUsed = 0;
      if (this.#slabCount++ === this.#slabs.length) {
        const slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
        this.#slabs.push(slab);
        this.#slabWords.push(new Int32Array(slab.buffer));
      }
    }
    const number = this.#slabCount - 1;
    const at = this.#tailUsed;
    this.#slabWords[number]![at >>> 2] = distance;
    const slab = this.#slabs[number]!;
    slab[at + HEAD_BYTES - 1] = length;
    copyBytes(bytes, start, end, slab, at + HEAD_BYTES);
    this.#tailUsed = at + size;
    return (number << SLAB_BITS) | at;
  }

  #grow(): void {
    const old = this.#index;
    this.#places *= 2;
    const mask = WORDS * this.#places - 1;
    const index = new Int32Array(WORDS * this.#places);
    for (let from = 0; from < index.length / 2; from += WORDS) {
      if (old[from + 1] === 0) continue;
      let place = (old[from]! << 1) & mask;
      while (index[place + 1] !== 0) place = (place + WORDS) & mask;
      index[place] = old[from]!;
      index[place + 1] = old[from + 1]!;
    }
    this.#index = index;
  }
}

function digestOf(bytes: Buffer, start: number, end: number): Buffer {
  return createHash('sha256').update(bytes.subarray(start, end)).digest();
}
