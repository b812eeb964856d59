import { BYTES, STRING } from '../../types/sql-type.ts';
import type { ScalarFunction } from '../function.ts';
import { fixed, parameter, scalars, variadic } from '../signature.ts';

type Text = string | null;

function joinText(separator: string, items: readonly Text[]): string {
  let joined = '';
  let first = true;
  for (const item of items) {
    if (item === null) continue;
    joined += first ? item : separator + item;
    first = false;
  }
  return joined;
}

function joinBytes(separator: Uint8Array, items: readonly (Uint8Array | null)[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const item of items) {
    if (item === null) continue;
    if (parts.length > 0) parts.push(separator);
    parts.push(item);
  }
  return Buffer.concat(parts);
}

const NO_BYTES = new Uint8Array(0);

/** The function that the operator || is. No call can name it. */
export const CONCATENATION = '||';

export const concatFunctions: readonly ScalarFunction[] = scalars('STRING', [
  {
    name: CONCATENATION,
    description:
      'The operator between two texts, or two BYTES: both, one after the other; null if either is.',
    examples: [
      ["'a' || 'b' || 'c'", "'abc'"],
      ["'a' || NULL", 'NULL'],
    ],
    nulls: 'propagate',
    signatures: [
      fixed([variadic('items', STRING)], STRING, (...items: string[]) => {
        let joined = '';
        for (const item of items) joined += item;
        return joined;
      }),
      fixed([variadic('items', BYTES)], BYTES, (...items: Uint8Array[]) => Buffer.concat(items)),
    ],
  },
  {
    name: 'CONCAT',
    description: 'The arguments one after another. Nulls are left out; with || a null makes null of all.',
    examples: [["CONCAT('a', NULL, 'b')", "'ab'"]],
    nulls: 'handled',
    signatures: [
      fixed([variadic('items', STRING)], STRING, (...items: Text[]) => {
        let joined = '';
        for (const item of items) if (item !== null) joined += item;
        return joined;
      }),
      fixed([variadic('items', BYTES)], BYTES, (...items: (Uint8Array | null)[]) =>
        joinBytes(NO_BYTES, items),
      ),
    ],
  },
  {
    name: 'CONCAT_WS',
    description:
      'The arguments after the first one after another, the first one between them. Nulls are left out; null if the separator is null.',
    examples: [["CONCAT_WS(', ', 'a', NULL, 'b')", "'a, b'"]],
    nulls: 'handled',
    signatures: [
      fixed(
        [parameter('separator', STRING), parameter('first', STRING), variadic('others', STRING)],
        STRING,
        (separator: Text, ...items: Text[]) => (separator === null ? null : joinText(separator, items)),
      ),
      fixed(
        [parameter('separator', BYTES), parameter('first', BYTES), variadic('others', BYTES)],
        BYTES,
        (separator: Uint8Array | null, ...items: (Uint8Array | null)[]) =>
          separator === null ? null : joinBytes(separator, items),
      ),
    ],
  },
]);
