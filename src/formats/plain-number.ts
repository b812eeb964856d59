import type { SqlType } from '../types/sql-type.ts';

/** Which numbers in text are surely values of a type, by the count of their digits. */
export interface NumberShape {
  /** At most so many digits before the point, and after it. */
  readonly digits: number;
  readonly scale: number;
  readonly signed: boolean;
  readonly exponent: boolean;
}

const MANY = 0x3fff_ffff;
export const ANY_NUMBER: NumberShape = { digits: MANY, scale: MANY, signed: true, exponent: true };
export const NO_NUMBER: NumberShape = { digits: 0, scale: 0, signed: false, exponent: false };

/** Whole numbers: the least and most that a type holds, as far as they are exact in a double; null for other types. */
export function wholeRange(type: SqlType): { readonly least: number; readonly most: number } | null {
  switch (type.kind) {
    case 'integer':
      return { least: -2147483648, most: 2147483647 };
    case 'bigint':
    case 'timestamp':
      return { least: Number.MIN_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER };
    case 'date':
      return { least: -100_000_000, most: 100_000_000 };
    case 'time':
      return { least: 0, most: 86_399_999 };
    default:
      return null;
  }
}

export function numberShape(type: SqlType): NumberShape {
  const range = wholeRange(type);
  if (range !== null)
    return {
      digits: String(range.most).length - 1,
      scale: 0,
      signed: range.least < 0,
      exponent: false,
    };
  if (type.kind === 'double') return ANY_NUMBER;
  if (type.kind === 'decimal')
    return { digits: type.precision - type.scale, scale: type.scale, signed: true, exponent: false };
  return NO_NUMBER;
}

/** The end of the number that begins at `at`, written as JSON has it; -1 when there is none, or none that surely fits. */
export function plainNumberEnd(
  shape: NumberShape,
  view: DataView,
  buffer: Uint8Array,
  at: number,
  end: number,
): number {
  if (at < end && buffer[at] === 0x2d) {
    if (!shape.signed) return -1;
    at++;
  }
  const first = at;
  at = digitsEnd(view, buffer, at, end);
  const count = at - first;
  if (count === 0 || count > shape.digits || (count > 1 && buffer[first] === 0x30)) return -1;
  if (at < end && buffer[at] === 0x2e) {
    const point = ++at;
    at = digitsEnd(view, buffer, at, end);
    if (at === point || at - point > shape.scale) return -1;
  }
  return at < end && isExponent(buffer[at]!) ? exponentEnd(shape, view, buffer, at, end) : at;
}

function exponentEnd(
  shape: NumberShape,
  view: DataView,
  buffer: Uint8Array,
  at: number,
  end: number,
): number {
  if (!shape.exponent) return -1;
  at++;
  if (at < end && (buffer[at] === 0x2b || buffer[at] === 0x2d)) at++;
  const after = digitsEnd(view, buffer, at, end);
  return after === at ? -1 : after;
}

/**
 * The position of the first byte from `at` that is no digit, at most `end`. Four bytes at a step: of a digit, less
 * the upper half 3, the upper half is 0, also after adding 6. The lowest that has not is right (higher ones may be set by a carry).
 */
function digitsEnd(view: DataView, buffer: Uint8Array, at: number, end: number): number {
  for (; at + 4 <= end; at += 4) {
    const value = view.getInt32(at, true) ^ 0x3030_3030;
    const other = (value | (value + 0x0606_0606)) & 0xf0f0_f0f0;
    if (other !== 0) return at + ((31 - Math.clz32(other & -other)) >> 3);
  }
  while (at < end && isDigit(buffer[at]!)) at++;
  return at;
}

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Whether it is e or E. */
export function isExponent(byte: number): boolean {
  return byte === 0x65 || byte === 0x45;
}
