import type { SqlType } from '../../types/sql-type.ts';
import type { SqlValue } from '../../types/value.ts';
import type { ScalarFunction } from '../function.ts';
import { ARRAY_OF_T, parameter, scalar, scalars } from '../signature.ts';
import { type List, openItemEquality, ofList, PAIR } from './array-function.ts';

/** Types whose equality is that of a JavaScript Set. */
const HASHABLE = new Set(['boolean', 'integer', 'bigint', 'double', 'string', 'date', 'time', 'timestamp']);

/** Tells, one after another, whether an item was not there before. */
function openSeen(type: SqlType): () => { add(item: SqlValue): boolean; has(item: SqlValue): boolean } {
  if (HASHABLE.has(type.kind))
    return () => {
      const seen = new Set<SqlValue>();
      return {
        add: (item) => seen.size !== seen.add(item).size,
        has: (item) => seen.has(item),
      };
    };
  const equal = openItemEquality(type);
  return () => {
    const seen: SqlValue[] = [];
    const has = (item: SqlValue): boolean => seen.some((other) => equal(other, item));
    return {
      add(item) {
        if (has(item)) return false;
        seen.push(item);
        return true;
      },
      has,
    };
  };
}

export const arraySetFunctions: readonly ScalarFunction[] = scalars('ARRAY', [
  scalar(
    'ARRAY_DISTINCT',
    'The different items, in order of first appearance.',
    ['ARRAY_DISTINCT(ARRAY[1, 2, 1])', 'ARRAY[1, 2]'],
    'propagate',
    ofList([parameter('array', ARRAY_OF_T)], ARRAY_OF_T, (element) => {
      const openSet = openSeen(element);
      return (items: List) => {
        const seen = openSet();
        return items.filter((item) => seen.add(item));
      };
    }),
  ),
  scalar(
    'ARRAY_EXCEPT',
    'The different items of the first array that are not in the second.',
    ['ARRAY_EXCEPT(ARRAY[1, 2, 3, 1], ARRAY[2])', 'ARRAY[1, 3]'],
    'propagate',
    ofList(PAIR, ARRAY_OF_T, (element) => {
      const openSet = openSeen(element);
      return (left: List, right: List) => {
        const seen = openSet();
        for (const item of right) seen.add(item);
        return left.filter((item) => seen.add(item));
      };
    }),
  ),
  scalar(
    'ARRAY_INTERSECT',
    'The different items of the first array that are also in the second.',
    ['ARRAY_INTERSECT(ARRAY[1, 2, 3, 2], ARRAY[3, 2])', 'ARRAY[2, 3]'],
    'propagate',
    ofList(PAIR, ARRAY_OF_T, (element) => {
      const openSet = openSeen(element);
      return (left: List, right: List) => {
        const others = openSet();
        for (const item of right) others.add(item);
        const seen = openSet();
        return left.filter((item) => others.has(item) && seen.add(item));
      };
    }),
  ),
  scalar(
    'ARRAY_UNION',
    'The different items of both arrays, in order of first appearance.',
    ['ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3])', 'ARRAY[1, 2, 3]'],
    'propagate',
    ofList(PAIR, ARRAY_OF_T, (element) => {
      const openSet = openSeen(element);
      return (left: List, right: List) => {
        const seen = openSet();
        return [...left.filter((item) => seen.add(item)), ...right.filter((item) => seen.add(item))];
      };
    }),
  ),
]);
