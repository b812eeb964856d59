import type { Shape } from './json-shape.ts';

/**
 * The bytes that stood last at one position of an object: a name with its colon and blanks, up to the value. Nearly all
 * records of a topic are built alike, so reading a name is mostly comparing these bytes with those of the next record.
 */
export interface Head extends Place {
  /** Bytes from behind the opening quote to the value. */
  readonly size: number;
  /** The first, second and third four bytes, as little-endian words; 0 where there are not so many. */
  readonly first: number;
  readonly second: number;
  readonly third: number;
  /** All of them. */
  readonly words: Int32Array;
  /** The last four bytes, which overlap the last word; 0 for a head of fewer bytes. */
  readonly tail: number;
  /** The bytes of a head of fewer than four. */
  readonly bytes: Uint8Array;
  /** The position of the field of that name among those declared, or -1. */
  position: number;
  /** The shape that its values must have. */
  shape: Shape;
}

/** The names remembered of the objects in one place: behind one head, or the record itself. */
export interface Place {
  /** By position in the object. */
  readonly heads: Head[];
  /** How often a name was another one. */
  misses: number;
}

/** Positions of an object that are remembered. Names at later ones are looked up each time. */
const POSITIONS = 128;
const MAX_BYTES = 256;
/** Where names change with every record (a map), they are remembered this often, and then only once in a while. */
const LESSONS = 64;
const REST = 1023;

export function newPlace(): Place {
  return { heads: [], misses: 0 };
}

export function matchesHead(head: Head, view: DataView, at: number): boolean {
  const { size } = head;
  if (size < 4) return matchesBytes(head, view, at);
  if (view.getInt32(at, true) !== head.first || view.getInt32(at + size - 4, true) !== head.tail)
    return false;
  if (size <= 8) return true;
  if (view.getInt32(at + 4, true) !== head.second) return false;
  if (size <= 12) return true;
  return view.getInt32(at + 8, true) === head.third && (size <= 16 || matchesRest(head, view, at));
}

function matchesBytes(head: Head, view: DataView, at: number): boolean {
  for (let i = 0; i < head.size; i++) if (view.getUint8(at + i) !== head.bytes[i]) return false;
  return true;
}

function matchesRest({ words }: Head, view: DataView, at: number): boolean {
  for (let i = 3; i < words.length; i++) if (view.getInt32(at + 4 * i, true) !== words[i]) return false;
  return true;
}

/** A head that stands nowhere: what is not remembered is told by it. */
export function strayHead(shape: Shape): Head {
  const bytes = new Uint8Array();
  const words = new Int32Array();
  return {
    size: 0,
    first: 0,
    second: 0,
    third: 0,
    words,
    tail: 0,
    bytes,
    position: -1,
    shape,
    heads: [],
    misses: 0,
  };
}

/** Remembers the bytes as what stands at `index` of the place's objects, unless that would not pay. */
export function learnHead(
  place: Place,
  index: number,
  view: DataView,
  start: number,
  end: number,
  field: { readonly position: number; readonly shape: Shape },
): void {
  const size = end - start;
  const wordAt = (offset: number): number =>
    offset >= 0 && offset + 4 <= size ? view.getInt32(start + offset, true) : 0;
  if (index > place.heads.length || index >= POSITIONS || size > MAX_BYTES) return;
  if (++place.misses > LESSONS && (place.misses & REST) !== 0) return;
  place.heads[index] = {
    size,
    first: wordAt(0),
    second: wordAt(4),
    third: wordAt(8),
    words: Int32Array.from({ length: size >> 2 }, (_, i) => wordAt(4 * i)),
    tail: wordAt(size - 4),
    bytes: Uint8Array.from({ length: size < 4 ? size : 0 }, (_, i) => view.getUint8(start + i)),
    position: field.position,
    shape: field.shape,
    heads: [],
    misses: 0,
  };
}
