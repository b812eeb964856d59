import { numberShape } from '../../formats/plain-number.ts';
import type { PlanColumn, SideFormat } from '../plan/node.ts';

/** Whether key bytes are surely those that their format's own encoder writes for their value. False: perhaps not. */
export type WrittenKey = (buffer: Uint8Array, start: number, end: number) => boolean;

/**
 * The quick look at keys that others wrote. JSON and DELIMITED can write one value in several ways (blanks, escapes,
 * quotes, names of fields, trailing zeros); only the plain ones are recognized, the others are decoded and written
 * anew. KAFKA has one way to write a value, and no bytes that are none are let through: a key that cannot be read drops
 * its record whether or not anybody asks for its columns. Null where any bytes are a key.
 */
export function openWrittenKey(columns: readonly PlanColumn[], format: SideFormat): WrittenKey | null {
  const [column] = columns;
  if (format.name === 'KAFKA') return column === undefined ? null : openKafkaKey(column);
  if (format.name !== 'JSON' && format.name !== 'DELIMITED') return null;
  if (column === undefined || columns.length > 1 || format.wrapped) return never;
  switch (column.type.kind) {
    case 'integer':
    case 'bigint':
    case 'date':
    case 'time':
    case 'timestamp': {
      const { digits, signed } = numberShape(column.type);
      // A minus at the start of a line is quoted.
      return isPlainNumber(digits, signed && format.name === 'JSON');
    }
    case 'string':
      return format.name === 'JSON' ? isPlainJsonText : isPlainWord;
    default:
      return never;
  }
}

function openKafkaKey(column: PlanColumn): WrittenKey | null {
  switch (column.type.kind) {
    case 'integer':
      return (_buffer, start, end) => end - start === 4;
    case 'bigint':
    case 'double':
      return (_buffer, start, end) => end - start === 8;
    case 'string':
      return isAscii;
    default:
      return null;
  }
}

const never: WrittenKey = () => false;

function isAscii(buffer: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (buffer[i]! > 0x7f) return false;
  return true;
}

/** Digits without a leading zero, few enough for the type. */
function isPlainNumber(digits: number, signed: boolean): WrittenKey {
  return (buffer, start, end) => {
    const negative = buffer[start] === 0x2d;
    const first = negative ? start + 1 : start;
    if (first >= end || end - first > digits || (negative && !signed)) return false;
    if (buffer[first] === 0x30) return end - first === 1 && !negative;
    for (let i = first; i < end; i++) if (buffer[i]! < 0x30 || buffer[i]! > 0x39) return false;
    return true;
  };
}

/** ASCII in quotes, with nothing in it that JSON escapes. */
function isPlainJsonText(buffer: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2 || buffer[start] !== 0x22 || buffer[end - 1] !== 0x22) return false;
  for (let i = start + 1; i < end - 1; i++) {
    const byte = buffer[i]!;
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return false;
  }
  return true;
}

/** Letters and digits only: no CSV writer quotes that. */
function isPlainWord(buffer: Uint8Array, start: number, end: number): boolean {
  if (end === start) return false;
  for (let i = start; i < end; i++) {
    const byte = buffer[i]!;
    const isAlphanumeric =
      (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
    if (!isAlphanumeric) return false;
  }
  return true;
}
