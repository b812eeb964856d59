import { MAX_DEPTH } from './json-node.ts';
import { FALSE, NULL, skipNumber, skipWord, STRING_CLASS, TRUE } from './json-skip.ts';

/**
 * The position of the first byte from `at` that is not ordinary ASCII inside a string (quote, backslash, control, beyond
 * ASCII), or `end`. Four bytes at a step: in each, a bit is set at the top of every byte that is one of these, and the
 * lowest is right (higher ones may be set by a borrow). "Hasless" and "haszero" of S. E. Anderson's Bit Twiddling Hacks.
 */
export function plainEnd(view: DataView, buffer: Uint8Array, at: number, end: number): number {
  for (; at + 4 <= end; at += 4) {
    const word = view.getInt32(at, true);
    const quotes = word ^ 0x2222_2222;
    const backslashes = word ^ 0x5c5c_5c5c;
    const special =
      ((((quotes - 0x0101_0101) | 0) & ~quotes) |
        (((backslashes - 0x0101_0101) | 0) & ~backslashes) |
        (((word - 0x2020_2020) | 0) & ~word) |
        word) &
      0x8080_8080;
    if (special !== 0) return at + ((31 - Math.clz32(special & -special)) >> 3);
  }
  while (at < end && STRING_CLASS[buffer[at]!] === 0) at++;
  return at;
}

/**
 * The end of the value at `at` when nothing in it is unusual: ASCII without escapes, and no blanks. -1 says only that
 * somebody more careful must look. What `skipValue` does, for the values that nearly all records have.
 */
export function plainValueEnd(
  view: DataView,
  buffer: Uint8Array,
  at: number,
  end: number,
  depth: number,
): number {
  if (at >= end || depth > MAX_DEPTH) return -1;
  switch (buffer[at]) {
    case 0x22:
      return plainStringEnd(view, buffer, at, end);
    case 0x7b:
      return plainObjectEnd(view, buffer, at, end, depth);
    case 0x5b:
      return plainArrayEnd(view, buffer, at, end, depth);
    case 0x74:
      return skipWord(buffer, at, end, TRUE);
    case 0x66:
      return skipWord(buffer, at, end, FALSE);
    case 0x6e:
      return skipWord(buffer, at, end, NULL);
    default:
      return skipNumber(buffer, at, end);
  }
}

function plainStringEnd(view: DataView, buffer: Uint8Array, at: number, end: number): number {
  const close = plainEnd(view, buffer, at + 1, end);
  return close < end && buffer[close] === 0x22 ? close + 1 : -1;
}

function plainObjectEnd(view: DataView, buffer: Uint8Array, at: number, end: number, depth: number): number {
  at++;
  if (at < end && buffer[at] === 0x7d) return at + 1;
  for (;;) {
    if (at >= end || buffer[at] !== 0x22) return -1;
    at = plainStringEnd(view, buffer, at, end);
    if (at < 0 || at >= end || buffer[at] !== 0x3a) return -1;
    at = plainValueEnd(view, buffer, at + 1, end, depth + 1);
    if (at < 0 || at >= end) return -1;
    if (buffer[at] === 0x7d) return at + 1;
    if (buffer[at] !== 0x2c) return -1;
    at++;
  }
}

function plainArrayEnd(view: DataView, buffer: Uint8Array, at: number, end: number, depth: number): number {
  at++;
  if (at < end && buffer[at] === 0x5d) return at + 1;
  for (;;) {
    at = plainValueEnd(view, buffer, at, end, depth + 1);
    if (at < 0 || at >= end) return -1;
    if (buffer[at] === 0x5d) return at + 1;
    if (buffer[at] !== 0x2c) return -1;
    at++;
  }
}
