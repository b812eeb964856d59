import { isDigit } from './plain-number.ts';

/** The meaning of a byte inside a JSON string: 0 is ordinary ASCII. */
export const QUOTE = 1;
export const BACKSLASH = 2;
const CONTROL = 3;
export const NON_ASCII = 4;
export const STRING_CLASS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x22) return QUOTE;
  if (byte === 0x5c) return BACKSLASH;
  if (byte < 0x20) return CONTROL;
  return byte >= 0x80 ? NON_ASCII : 0;
});

export const TRUE: Uint8Array = Buffer.from('true');
export const FALSE: Uint8Array = Buffer.from('false');
export const NULL: Uint8Array = Buffer.from('null');

/** The position of the first byte from `at` that is no white space, at most `end`. */
export function skipBlanks(buffer: Uint8Array, at: number, end: number): number {
  while (at < end && isBlank(buffer[at]!)) at++;
  return at;
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The end of `word` when it stands at `at`, else -1. */
export function skipWord(buffer: Uint8Array, at: number, end: number, word: Uint8Array): number {
  if (end - at < word.length) return -1;
  for (let i = 0; i < word.length; i++) if (buffer[at + i] !== word[i]) return -1;
  return at + word.length;
}

/**
 * The position of the first byte from `at` that is not ordinary ASCII inside a string (quote, backslash, control, beyond
 * ASCII), or `end`. Eight bytes at a step while there are so many.
 */
export function plainEnd(view: DataView, buffer: Uint8Array, at: number, end: number): number {
  for (; at + 8 <= end; at += 8) {
    const first = specialBytes(view.getInt32(at, true));
    const second = specialBytes(view.getInt32(at + 4, true));
    if ((first | second) === 0) continue;
    return first === 0 ? at + 4 + lowestByte(second) : at + lowestByte(first);
  }
  if (at + 4 <= end) {
    const special = specialBytes(view.getInt32(at, true));
    if (special !== 0) return at + lowestByte(special);
    at += 4;
  }
  while (at < end && STRING_CLASS[buffer[at]!] === 0) at++;
  return at;
}

/**
 * The top bits of the bytes that are not ordinary ASCII inside a string. The lowest is right; higher ones may be set by a
 * borrow. Of an ASCII byte, less than what is subtracted is told by the top bit of the difference; others have it set.
 */
function specialBytes(word: number): number {
  return (
    (((word ^ 0x2222_2222) - 0x0101_0101) |
      ((word ^ 0x5c5c_5c5c) - 0x0101_0101) |
      (word - 0x2020_2020) |
      word) &
    0x8080_8080
  );
}

function lowestByte(bits: number): number {
  return (31 - Math.clz32(bits & -bits)) >> 3;
}

/** The end of the escape that begins with the backslash at `at`, or -1. */
export function skipEscape(buffer: Uint8Array, at: number, end: number): number {
  const escape = at + 1 < end ? buffer[at + 1]! : 0;
  switch (escape) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 2;
    case 0x75: // u
      if (at + 6 > end) return -1;
      for (let i = at + 2; i < at + 6; i++) if (!isHex(buffer[i]!)) return -1;
      return at + 6;
    default:
      return -1;
  }
}

function isHex(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}
