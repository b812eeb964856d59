import { BOOLEAN, INTEGER } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ScalarFunction } from '../function.ts';
import { ARRAY_OF_T, fixed, parameter, scalar, scalars, T } from '../signature.ts';
import { type List, openItemEquality, ofList, PAIR } from './array-function.ts';

export const arrayFunctions: readonly ScalarFunction[] = scalars('ARRAY', [
  scalar(
    'ARRAY_CONCAT',
    'The items of both arrays, one after another. A null array counts as empty; null if both are.',
    ['ARRAY_CONCAT(ARRAY[1, 2], ARRAY[2])', 'ARRAY[1, 2, 2]'],
    'handled',
    fixed(PAIR, ARRAY_OF_T, (left: List | null, right: List | null) =>
      left === null ? right : right === null ? left : [...left, ...right],
    ),
  ),
  scalar(
    'ARRAY_CONTAINS',
    'Whether a value is among the items.',
    ['ARRAY_CONTAINS(ARRAY[1, 2], 2)', 'TRUE'],
    'handled',
    ofList([parameter('array', ARRAY_OF_T), parameter('value', T)], BOOLEAN, (element) => {
      const equal = openItemEquality(element);
      return (items: List | null, value: SqlValue) =>
        items !== null && items.some((item) => equal(item, value));
    }),
  ),
  scalar(
    'ARRAY_LENGTH',
    'How many items there are.',
    ['ARRAY_LENGTH(ARRAY[1, 2])', '2'],
    'propagate',
    fixed([parameter('array', ARRAY_OF_T)], INTEGER, (items: List) => items.length),
  ),
  scalar(
    'ARRAY_REMOVE',
    'The items that are not equal to a value; NULL removes nulls.',
    ['ARRAY_REMOVE(ARRAY[1, 2, 1], 1)', 'ARRAY[2]'],
    'handled',
    ofList([parameter('array', ARRAY_OF_T), parameter('unwanted', T)], ARRAY_OF_T, (element) => {
      const equal = openItemEquality(element);
      return (items: List | null, unwanted: SqlValue) =>
        items === null ? null : items.filter((item) => !equal(item, unwanted));
    }),
  ),
  scalar(
    'SLICE',
    'The items from one position to another, both counted from 1 and included. A null position is the array’s end; null if out of range.',
    ['SLICE(ARRAY[1, 2, 3, 4], 2, 3)', 'ARRAY[2, 3]'],
    'handled',
    fixed(
      [parameter('array', ARRAY_OF_T), parameter('from', INTEGER), parameter('to', INTEGER)],
      ARRAY_OF_T,
      (items: List | null, from: number | null, to: number | null) => {
        if (items === null) return null;
        const start = from === null ? 0 : from - 1;
        const end = to ?? items.length;
        return start < 0 || end > items.length || start > end ? null : items.slice(start, end);
      },
    ),
  ),
]);
