import { DataError } from '../../common/error.ts';
import { BYTES, INTEGER, STRING } from '../../types/sql-type.ts';
import type { ScalarFunction, ScalarSignature } from '../function.ts';
import { checked, fixed, parameter, scalars } from '../signature.ts';

/** Fills up to `size` with the padding repeated; null when that is impossible. */
function padding<V extends string | Uint8Array>(
  value: V,
  size: number,
  pad: V,
  side: 'left' | 'right',
  join: (a: V, b: V) => V,
  repeat: (pad: V, size: number) => V,
): V | null {
  if (pad.length === 0 || size < 0) return null;
  if (size <= value.length) return (value as string).slice(0, size) as V;
  const fill = repeat(pad, size - value.length);
  return side === 'left' ? join(fill, value) : join(value, fill);
}

/** More than any record can hold: a typing mistake, not a request. */
const MAX_PAD = 64 * 1024 * 1024;

function checkedSize(size: number): number {
  if (size > MAX_PAD) throw new DataError(`padding to ${size} is too long`);
  return size;
}

const LENGTH = checked(parameter('length', INTEGER), checkedSize);

function pad(side: 'left' | 'right'): ScalarSignature[] {
  return [
    fixed(
      [parameter('input', STRING), LENGTH, parameter('padding', STRING)],
      STRING,
      (input: string, length: number, fill: string) =>
        padding(
          input,
          checkedSize(length),
          fill,
          side,
          (a, b) => a + b,
          (text, size) => text.repeat(Math.ceil(size / text.length)).slice(0, size),
        ),
    ),
    fixed(
      [parameter('input', BYTES), LENGTH, parameter('padding', BYTES)],
      BYTES,
      (input: Uint8Array, length: number, fill: Uint8Array) =>
        padding<Uint8Array>(
          input,
          checkedSize(length),
          fill,
          side,
          (a, b) => Buffer.concat([a, b]),
          (bytes, size) => Buffer.alloc(size, bytes),
        ),
    ),
  ];
}

export const padFunctions: readonly ScalarFunction[] = scalars('STRING', [
  {
    name: 'LPAD',
    description:
      'Fills up to a length on the left; cuts on the right what is longer. Null for an empty padding or a negative length.',
    examples: [["LPAD('foo', 7, 'Bar')", "'BarBfoo'"]],
    nulls: 'propagate',
    signatures: pad('left'),
  },
  {
    name: 'RPAD',
    description:
      'Fills up to a length on the right; cuts on the right what is longer. Null for an empty padding or a negative length.',
    examples: [["RPAD('foo', 7, 'Bar')", "'fooBarB'"]],
    nulls: 'propagate',
    signatures: pad('right'),
  },
]);
