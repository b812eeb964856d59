import type { Column } from '../types/schema.ts';
import type { FormatSettings, WrittenKey } from './format.ts';
import { numberShape } from './plain-number.ts';

/**
 * For formats of text, which can write one value in several ways (blanks, escapes, quotes, names of fields, trailing
 * zeros): the plain way is recognized, any other is decoded and written anew. `signed`: a number below 0 is
 * plain too.
 */
export function openWrittenText(
  columns: readonly Column[],
  settings: FormatSettings,
  signed: boolean,
  isPlainText: WrittenKey,
): WrittenKey {
  const [column] = columns;
  if (column === undefined || columns.length > 1 || settings.wrapped) return never;
  switch (column.type.kind) {
    case 'integer':
    case 'bigint':
    case 'date':
    case 'time':
    case 'timestamp': {
      const shape = numberShape(column.type);
      return isPlainNumber(shape.digits, shape.signed && signed);
    }
    case 'string':
      return isPlainText;
    default:
      return never;
  }
}

const never: WrittenKey = () => false;

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
