import { BYTES, INTEGER, STRING, type SqlType } from '../../types/sql-type.ts';
import type { ScalarFunction, ScalarSignature } from '../function.ts';
import { fixed, parameter, scalars } from '../signature.ts';

type Text = string | null;

/** The slice [start, end) that SUBSTRING means: positions count from 1, negative ones from the end, 0 is 1. */
function startOf(size: number, position: number): number {
  return position < 0 ? Math.max(size + position, 0) : position === 0 ? 0 : Math.min(position - 1, size);
}

function endOf(size: number, start: number, length: number): number {
  return Math.max(Math.min(start + length, size), start);
}

/** SUBSTRING of texts or bytes: to the end, and of a length. */
function substringOf<V extends string | Uint8Array>(
  type: SqlType,
  slice: (value: V, start: number, end?: number) => V,
): ScalarSignature[] {
  const parameters = [parameter('input', type), parameter('position', INTEGER)];
  return [
    fixed(parameters, type, (value: V, position: number) => slice(value, startOf(value.length, position))),
    fixed(
      [...parameters, parameter('length', INTEGER)],
      type,
      (value: V, position: number, length: number) => {
        const start = startOf(value.length, position);
        return slice(value, start, endOf(value.length, start, length));
      },
    ),
  ];
}

/** Position of the n-th occurrence from `position`, counted from 1; negative positions search backward. */
function instr(text: Text, part: Text, position = 1, occurrence = 1): number {
  if (text === null || part === null || position === 0) return 0;
  let at: number;
  if (position > 0) {
    at = position - 2;
    for (let n = 0; n < occurrence; n++) {
      // Behind the end even an empty part is not found again.
      if (at >= text.length) return 0;
      at = text.indexOf(part, at + 1);
      if (at < 0) return 0;
    }
  } else {
    at = text.length + position + 1;
    for (let n = 0; n < occurrence; n++) {
      if (at <= 0) return 0;
      at = text.lastIndexOf(part, at - 1);
      if (at < 0) return 0;
    }
  }
  return at + 1;
}

export const substringFunctions: readonly ScalarFunction[] = scalars('STRING', [
  {
    name: 'INSTR',
    description:
      'The position, from 1, of a text within another; 0 if it is not there. A start position (from the end and backward if negative) and the number of the occurrence may follow.',
    examples: [
      ["INSTR('CORPORATE FLOOR', 'OR')", '2'],
      ["INSTR('CORPORATE FLOOR', 'OR', 3, 2)", '14'],
      ["INSTR('CORPORATE FLOOR', 'OR', -3)", '5'],
    ],
    nulls: 'handled',
    signatures: [
      fixed([parameter('input', STRING), parameter('part', STRING)], INTEGER, (text: Text, part: Text) =>
        instr(text, part),
      ),
      fixed(
        [parameter('input', STRING), parameter('part', STRING), parameter('position', INTEGER)],
        INTEGER,
        (text: Text, part: Text, position: number | null) =>
          position === null ? null : instr(text, part, position),
      ),
      fixed(
        [
          parameter('input', STRING),
          parameter('part', STRING),
          parameter('position', INTEGER),
          parameter('occurrence', INTEGER),
        ],
        INTEGER,
        (text: Text, part: Text, position: number | null, occurrence: number | null) =>
          position === null || occurrence === null ? null : instr(text, part, position, occurrence),
      ),
    ],
  },
  {
    name: 'SUBSTRING',
    description:
      'The part from a position, counted from 1 (from the end if negative), to the end or of a given length.',
    examples: [
      ["SUBSTRING('stream', 2, 3)", "'tre'"],
      ["SUBSTRING('stream', -3)", "'eam'"],
    ],
    nulls: 'propagate',
    signatures: [
      ...substringOf(STRING, (text: string, start, end) => text.slice(start, end)),
      ...substringOf(BYTES, (bytes: Uint8Array, start, end) => bytes.subarray(start, end)),
    ],
  },
]);
